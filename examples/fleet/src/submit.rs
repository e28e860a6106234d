//! Hands jobs to the fleet, and waits for the answers.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use crate::bank;
use crate::job::Job;
use crate::queue::{News, Queue};

/// Submits the jobs, waits until each is answered, and prints the answers that their sessions ever gave, session by
/// session.
pub fn submit(queue: &mut Queue, jobs: &[Job]) -> Result<(), Box<dyn Error>> {
    let new = bank::open()?.save()?;
    let names: BTreeSet<&str> = jobs.iter().map(|job| job.session.as_str()).collect();
    for name in &names {
        queue.begin(name, &new)?;
    }
    // It listens before it submits, so that it misses no answer.
    let mut connection = queue.connect()?;
    let mut news = News::on(&mut connection)?;
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for job in jobs {
        last.insert(job.session.clone(), queue.submit(job)?);
    }
    while !last.is_empty() {
        let (session, call) = news.next()?;
        if last.get(&session) == Some(&call) {
            last.remove(&session);
        }
    }
    for name in names {
        queue.answers(name)?.iter().for_each(|answer| println!("{answer}"));
    }
    Ok(())
}
