//! Tables of one kind, and the records in them.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Float64Type, TimestampMillisecondType, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, BooleanArray, Decimal128Array, Float64Array, RecordBatch, StringArray,
    TimestampMillisecondArray, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_schema::ArrowError;
use model::time::UtcMillis;

use super::value::{Units, Value};
use crate::audit::kind::Kind;

/// Rows of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(super) kind: Kind,
    pub(super) seq: UInt64Array,
    ts: TimestampMillisecondArray,
    names: Arc<[String]>,
    columns: Vec<Column>,
}

#[derive(Clone, Debug)]
enum Column {
    Small(UInt16Array),
    Middle(UInt32Array),
    Large(UInt64Array),
    Float(Float64Array),
    Flag(BooleanArray),
    Text(StringArray),
    Amount(Decimal128Array),
    Time(TimestampMillisecondArray),
}

impl Table {
    pub(super) fn new(kind: Kind, batches: &[RecordBatch]) -> Result<Self, ArrowError> {
        let joined;
        let batch = match batches {
            [batch] => batch,
            [] => return Err(ArrowError::IpcError("a commit without a batch".to_owned())),
            [first, ..] => {
                joined = arrow_select::concat::concat_batches(&first.schema(), batches)?;
                &joined
            }
        };
        let schema = batch.schema();
        let names = schema.fields().iter().map(|field| field.name().clone()).collect();
        let columns: Option<Vec<Column>> = batch.columns().iter().map(|it| column(it)).collect();
        let columns = columns
            .ok_or_else(|| ArrowError::SchemaError("a type that no table has".to_owned()))?;
        match columns.as_slice() {
            [Column::Large(seq), Column::Time(ts), ..] => {
                let (seq, ts) = (seq.clone(), ts.clone());
                Ok(Self { kind, seq, ts, names, columns })
            }
            _ => Err(ArrowError::SchemaError("not `seq` and `ts` first".to_owned())),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.seq.len()
    }

    pub(super) fn ts(&self, row: usize) -> UtcMillis {
        UtcMillis::new(self.ts.value(row))
    }
}

fn column(array: &dyn Array) -> Option<Column> {
    let numbers = [
        array.as_primitive_opt::<UInt64Type>().map(|it| Column::Large(it.clone())),
        array.as_primitive_opt::<UInt32Type>().map(|it| Column::Middle(it.clone())),
        array.as_primitive_opt::<UInt16Type>().map(|it| Column::Small(it.clone())),
        array.as_primitive_opt::<Float64Type>().map(|it| Column::Float(it.clone())),
        array.as_primitive_opt::<Decimal128Type>().map(|it| Column::Amount(it.clone())),
        array.as_primitive_opt::<TimestampMillisecondType>().map(|it| Column::Time(it.clone())),
        array.as_string_opt::<i32>().map(|it| Column::Text(it.clone())),
        array.as_boolean_opt().map(|it| Column::Flag(it.clone())),
    ];
    numbers.into_iter().flatten().next()
}

impl Column {
    fn is_valid(&self, row: usize) -> bool {
        match self {
            Self::Small(it) => it.is_valid(row),
            Self::Middle(it) => it.is_valid(row),
            Self::Large(it) => it.is_valid(row),
            Self::Float(it) => it.is_valid(row),
            Self::Flag(it) => it.is_valid(row),
            Self::Text(it) => it.is_valid(row),
            Self::Amount(it) => it.is_valid(row),
            Self::Time(it) => it.is_valid(row),
        }
    }

    fn value(&self, row: usize) -> Value<'_> {
        if !self.is_valid(row) {
            return Value::Null;
        }
        match self {
            Self::Small(it) => Value::Count(it.value(row).into()),
            Self::Middle(it) => Value::Count(it.value(row).into()),
            Self::Large(it) => Value::Count(it.value(row)),
            Self::Float(it) => Value::Float(it.value(row)),
            Self::Flag(it) => Value::Flag(it.value(row)),
            Self::Text(it) => Value::Text(it.value(row)),
            Self::Amount(it) => Value::Amount(Units(it.value(row))),
            Self::Time(it) => Value::Time(UtcMillis::new(it.value(row))),
        }
    }
}

/// One row of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub(super) table: &'a Table,
    pub(super) row: usize,
}

impl<'a> Record<'a> {
    /// What kind of record it is.
    pub const fn kind(&self) -> Kind {
        self.table.kind
    }

    /// The event that it belongs to.
    pub fn seq(&self) -> u64 {
        self.table.seq.value(self.row)
    }

    /// The tick.
    pub fn ts(&self) -> UtcMillis {
        self.table.ts(self.row)
    }

    /// All values with the names of their columns, in the order of the schema.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + use<'a> {
        let (table, row) = (self.table, self.row);
        let values = table.columns.iter().map(move |column| column.value(row));
        table.names.iter().map(String::as_str).zip(values)
    }

    /// A value, or none if there is no such column.
    pub fn get(&self, name: &str) -> Value<'a> {
        let place = self.table.names.iter().position(|column| column == name);
        place.map_or(Value::Null, |place| self.table.columns[place].value(self.row))
    }

    /// A text; empty where there is none.
    pub fn text(&self, name: &str) -> &'a str {
        if let Value::Text(text) = self.get(name) { text } else { "" }
    }

    /// A ledger amount, where there is one.
    pub fn amount(&self, name: &str) -> Option<Units> {
        if let Value::Amount(units) = self.get(name) { Some(units) } else { None }
    }

    /// A float, where there is one.
    pub fn float(&self, name: &str) -> Option<f64> {
        if let Value::Float(value) = self.get(name) { Some(value) } else { None }
    }

    /// A count, where there is one.
    pub fn count(&self, name: &str) -> Option<u64> {
        if let Value::Count(count) = self.get(name) { Some(count) } else { None }
    }

    /// An instant, where there is one.
    pub fn time(&self, name: &str) -> Option<UtcMillis> {
        if let Value::Time(ts) = self.get(name) { Some(ts) } else { None }
    }

    /// Whether something is so; false where it does not say.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Value::Flag(true))
    }

    /// The event that caused it, if something did.
    pub fn cause_seq(&self) -> Option<u64> {
        self.count("cause_seq")
    }
}
