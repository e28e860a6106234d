//! Answers jobs in one process, in which every session stays where it is: what a fleet must give the same answers as.

use std::collections::BTreeMap;
use std::error::Error;

use wasmlark::Session;

use crate::bank;
use crate::job::{Answer, Job};

/// Prints the answers, session by session.
pub fn answer(jobs: &[Job]) -> Result<(), Box<dyn Error>> {
    let mut sessions: BTreeMap<&str, (Session, Vec<String>)> = BTreeMap::new();
    for job in jobs {
        if !sessions.contains_key(job.session.as_str()) {
            sessions.insert(&job.session, (bank::open()?, Vec::new()));
        }
        let Some((session, answers)) = sessions.get_mut(job.session.as_str()) else { continue };
        let before = session.fork()?;
        let answer = Answer::to(job, answers.len() as u64, session)?;
        if !answer.is_kept() {
            *session = before;
        }
        answers.push(answer.to_json()?);
    }
    sessions.values().flat_map(|(_, answers)| answers).for_each(|answer| println!("{answer}"));
    Ok(())
}
