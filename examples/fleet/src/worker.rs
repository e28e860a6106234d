//! Takes turns from the queue, one after another. It may die whenever it likes: what it took, another takes over.

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::bank;
use crate::job::Answer;
use crate::queue::Queue;

/// Works without end, and says on its standard output what it does. If it `holds`, it waits in the middle of each call until it
/// is sent a line: that is for the tests, which stop it there.
pub fn work(queue: &mut Queue, name: &str, lease: Duration, holds: bool) -> Result<(), Box<dyn Error>> {
    let sandbox = bank::sandbox(move || if holds { hold() } else { Ok(()) });
    // The first isolated run of a process takes longer than a call should.
    bank::open()?;
    println!("ready");
    loop {
        let Some(turn) = queue.take(name, lease)? else { continue };
        println!("took {} {}", turn.job.session, turn.call);
        let mut session = sandbox.restore(&turn.saved)?;
        let answer = Answer::to(&turn.job, turn.call, &mut session)?;
        let saved = if answer.is_kept() { session.save()? } else { turn.saved.clone() };
        let verb = if queue.finish(&turn, &saved, &answer.to_json()?)? { "answered" } else { "was late for" };
        println!("{verb} {} {}", turn.job.session, turn.call);
    }
}

fn hold() -> Result<(), wasmlark::Error> {
    println!("holds");
    io::stdin().read_line(&mut String::new()).map(|_| ()).map_err(wasmlark::Error::host)
}
