use prost::Message as _;
use tonic::Status;

use crate::{
    daemon::status::{code, message},
    problem::Problem,
    registry::remote::protocol::Failure,
};

/// How many bytes of help and of a message are sent: they travel in headers, of which clients take little.
const LONGEST: usize = 2_000;

/// The status of a problem, which has the problem itself in its details.
pub(super) fn status(problem: &Problem) -> Status {
    let mut failure = Failure::from(problem);
    shorten(&mut failure.message);
    failure.help.iter_mut().for_each(shorten);
    Status::with_details(code(problem), message(problem), failure.encode_to_vec().into())
}

fn shorten(text: &mut String) {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Kind;

    #[test]
    fn problems_arrive_as_they_were() {
        let problem = Problem::new(Kind::Refused, "ä".repeat(5_000), "ask".to_owned());
        let status = status(&problem);
        let told = Failure::decode(status.details()).unwrap().into_problem("s");
        assert_eq!((told.kind, told.help()), (Kind::Refused, Some("ask".to_owned())));
        assert!(told.message.len() < 2_100 && told.message.ends_with('…'));
    }
}
