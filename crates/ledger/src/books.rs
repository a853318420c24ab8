//! Books: the present one of an account, and spare ones that its changes are written into.

use std::rc::Rc;

use model::snapshot::AccountBook;

use crate::spares::Spares;

/// The book of an account. A snapshot shares it; the next change then goes to a copy.
///
/// Invariant: what was shared never changes while anybody else holds it.
#[derive(Debug)]
pub(crate) struct Books {
    present: Rc<AccountBook>,
    spares: Spares<AccountBook>,
}

impl Books {
    pub(crate) fn new(book: AccountBook) -> Self {
        Self { present: Rc::new(book), spares: Spares::new() }
    }

    /// The book as it is; shared until the next change.
    pub(crate) fn present(&self) -> &Rc<AccountBook> {
        &self.present
    }

    /// The book, to be changed.
    pub(crate) fn change(&mut self) -> &mut AccountBook {
        if Rc::get_mut(&mut self.present).is_none() {
            self.copy();
        }
        Rc::get_mut(&mut self.present).expect("a book that is shared has been copied")
    }

    /// Copies the present book into a spare one that nobody holds any more, or into a new one.
    fn copy(&mut self) {
        let mut spare = self.spares.take();
        if let Some(book) = spare.as_mut().and_then(Rc::get_mut) {
            book.clone_from(&self.present);
        }
        let next = spare.unwrap_or_else(|| Rc::new(AccountBook::clone(&self.present)));
        self.spares.keep(std::mem::replace(&mut self.present, next));
    }
}

#[cfg(test)]
mod tests {
    use model::Decimal;

    use super::*;
    use crate::spares::SPARES;

    fn books() -> Books {
        Books::new(AccountBook { balances: vec![Decimal::ZERO; 2], ..AccountBook::default() })
    }

    fn pay(books: &mut Books) {
        books.change().balances[1] += Decimal::ONE;
    }

    #[test]
    fn what_was_shared_stays_as_it_was() {
        let mut books = books();
        let mut shared = Vec::new();
        for _ in 0..2 * SPARES {
            shared.push(Rc::clone(books.present()));
            pay(&mut books);
        }
        for (paid, book) in (0u32..).zip(&shared) {
            assert_eq!(book.balances, [Decimal::ZERO, Decimal::from(paid)]);
        }
        assert_eq!(books.present().balances[1], Decimal::from(shared.len()));
        assert_eq!(books.spares.len(), SPARES);
    }

    #[test]
    fn a_book_that_nobody_holds_any_more_is_written_into() {
        let mut books = books();
        let first = Rc::clone(books.present());
        let place = Rc::as_ptr(&first);
        pay(&mut books);
        drop(first);
        let second = Rc::clone(books.present());
        pay(&mut books);
        assert_eq!(Rc::as_ptr(books.present()), place);
        assert_eq!(books.present().balances[1], Decimal::TWO);
        assert_eq!(second.balances[1], Decimal::ONE);
    }

    #[test]
    fn a_book_that_is_not_shared_is_changed_where_it_is() {
        let mut books = books();
        let place = Rc::as_ptr(books.present());
        pay(&mut books);
        assert_eq!(Rc::as_ptr(books.present()), place);
        assert_eq!(books.spares.len(), 0);
    }
}
