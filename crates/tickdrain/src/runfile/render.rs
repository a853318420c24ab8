//! How faults look: code, message, place, source line with carets, what was expected, a hint.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::fault::Fault;
use super::place::Source;

/// Renders all faults, one after another.
pub(super) fn render(sources: &[Source], faults: &[Fault], coloured: bool) -> String {
    let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
    let mut rendered: Vec<String> = faults
        .iter()
        .map(|fault| {
            let message = fault.message();
            renderer.render(&[group(&sources[fault.place.source.0], fault, &message)])
        })
        .collect();
    let errors = faults.iter().filter(|fault| !fault.is_warning).count();
    if let more @ 2.. = errors {
        rendered.push(format!("{more} faults in all"));
    }
    rendered.join("\n\n")
}

fn group<'a>(source: &'a Source, fault: &'a Fault, message: &'a str) -> Group<'a> {
    let level = if fault.is_warning { Level::WARNING } else { Level::ERROR };
    let title = level.primary_title(message).id(fault.code);
    let expected = format!("expected {}", fault.expected);
    let group = if let Some(span) = &fault.place.span {
        let mut annotation = AnnotationKind::Primary.span(caret(source, span.clone()));
        if !fault.expected.is_empty() {
            annotation = annotation.label(expected);
        }
        title.element(Snippet::source(&*source.text).path(&*source.name).annotation(annotation))
    } else {
        title.element(Origin::path(&*source.name)).element(Level::NOTE.message(expected))
    };
    match &fault.hint {
        Some(hint) => group.element(Level::HELP.message(&**hint)),
        None => group,
    }
}

/// The part of a span on its first line: carets under a whole section say nothing.
fn caret(source: &Source, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let end = span.end.min(source.text.len());
    let start = span.start.min(end);
    let first_line = source.text[start..end].find('\n').map_or(end, |newline| start + newline);
    start..first_line
}
