//! Whether every projector of a show was there: what the exit status of a show without a window says.

use crate::show::Report;

/// Why a show was no success though it ran: the projectors that never came up, each with its reason. `None` if all did.
pub(super) fn what_did_not(report: &Report) -> Option<String> {
    let mut reasons = report.per_stream.iter().filter(|stream| !stream.came_up).map(|stream| {
        let unknown = || format!("{} was not reached before the show ended", stream.name);
        stream.fault.clone().unwrap_or_else(unknown)
    });
    let first = reasons.next()?;
    let others: Vec<String> = reasons.collect();
    Some(match (others.len() + 1, report.per_stream.len()) {
        (1, 1) => format!("the projector never came up: {first}"),
        (missing, all) => {
            let reasons = [&[first], others.as_slice()].concat().join("; ");
            format!("{missing} of {all} projectors never came up: {reasons}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::report::StreamReport;

    fn stream(name: &str, came_up: bool, fault: Option<&str>) -> StreamReport {
        let fault = fault.map(str::to_owned);
        StreamReport { name: name.to_owned(), came_up, fault, ..StreamReport::default() }
    }

    fn said(per_stream: Vec<StreamReport>) -> Option<String> {
        what_did_not(&Report { per_stream, ..Report::default() })
    }

    #[test]
    fn a_projector_that_never_came_up_is_named_with_its_reason() {
        assert_eq!(said(vec![]), None);
        let lost = stream("b", true, Some("b was lost later"));
        assert_eq!(said(vec![stream("a", true, None), lost.clone()]), None);
        let missing = stream("a", false, Some("a does not answer"));
        let text = said(vec![missing.clone()]).unwrap();
        assert_eq!(text, "the projector never came up: a does not answer");
        let text = said(vec![lost, missing, stream("c", false, None)]).unwrap();
        assert_eq!(
            text,
            "2 of 3 projectors never came up: a does not answer; c was not reached before the show ended"
        );
    }
}
