//! The queue in Redis: see `README.md` for its keys.

use std::error::Error;
use std::time::Duration;

use redis::streams::{StreamAutoClaimOptions, StreamAutoClaimReply, StreamId, StreamReadOptions, StreamReadReply};
use redis::{Client, Commands, Connection, PubSub, RedisResult, Script};

use crate::job::Job;

const TURNS: &str = "fleet:turns";
const GROUP: &str = "workers";
const NEWS: &str = "fleet:answered";

/// A connection to the queue.
pub struct Queue {
    client: Client,
    redis: Connection,
    submit: Script,
    finish: Script,
}

/// The right to answer a session's next call, until a lease runs out.
pub struct Turn {
    id: String,
    pub job: Job,
    /// How many calls the session had answered when this turn began.
    pub call: u64,
    /// The session as its last answer left it.
    pub saved: Vec<u8>,
}

impl Queue {
    pub fn open(address: &str) -> RedisResult<Self> {
        let client = Client::open(address)?;
        let mut redis = client.get_connection()?;
        // From the first turn on: it may have been added before there was a worker.
        match redis.xgroup_create_mkstream::<_, _, _, ()>(TURNS, GROUP, "0") {
            Err(error) if error.code() != Some("BUSYGROUP") => return Err(error),
            _ => {}
        }
        let (submit, finish) = (include_str!("submit.lua"), include_str!("finish.lua"));
        Ok(Self { client, redis, submit: Script::new(submit), finish: Script::new(finish) })
    }

    /// Begins a session, unless it has begun.
    pub fn begin(&mut self, session: &str, saved: &[u8]) -> RedisResult<()> {
        self.redis.set_nx(key("saved", session), saved)
    }

    /// Adds a job to the calls of its session, and returns its number.
    pub fn submit(&mut self, job: &Job) -> Result<u64, Box<dyn Error>> {
        let mut submit = self.submit.key(TURNS);
        submit.key(key("calls", &job.session)).key(key("answers", &job.session));
        submit.arg(&job.session).arg(serde_json::to_string(job)?);
        Ok(submit.invoke(&mut self.redis)?)
    }

    /// Takes a turn: one whose worker has had it for longer than the lease, or the next one. Waits for as long as a lease;
    /// `None` if there is none by then.
    pub fn take(&mut self, worker: &str, lease: Duration) -> Result<Option<Turn>, Box<dyn Error>> {
        let entry = match self.expired(worker, lease)? {
            Some(entry) => Some(entry),
            None => self.next(worker, lease)?,
        };
        let Some(entry) = entry else { return Ok(None) };
        let (Some(session), Some(call)) = (entry.get::<String>("session"), entry.get::<u64>("call")) else {
            return Err(format!("the turn {} makes no sense", entry.id).into());
        };
        let place = isize::try_from(call)?;
        let (answered, job, saved): (u64, String, Vec<u8>) = redis::pipe()
            .atomic()
            .llen(key("answers", &session))
            .lindex(key("calls", &session), place)
            .get(key("saved", &session))
            .query(&mut self.redis)?;
        // Its worker was late, and finished it just now.
        if answered != call {
            return Ok(None);
        }
        Ok(Some(Turn { id: entry.id, job: serde_json::from_str(&job)?, call, saved }))
    }

    fn expired(&mut self, worker: &str, lease: Duration) -> RedisResult<Option<StreamId>> {
        let mut from = "0-0".to_owned();
        loop {
            let one = StreamAutoClaimOptions::default().count(1);
            let found: StreamAutoClaimReply =
                self.redis.xautoclaim_options(TURNS, GROUP, worker, millis(lease), &from, one)?;
            if let Some(entry) = found.claimed.into_iter().next() {
                return Ok(Some(entry));
            }
            // It looks at a few turns at a time.
            if found.next_stream_id == "0-0" {
                return Ok(None);
            }
            from = found.next_stream_id;
        }
    }

    fn next(&mut self, worker: &str, wait: Duration) -> RedisResult<Option<StreamId>> {
        let one = StreamReadOptions::default().group(GROUP, worker).count(1).block(millis(wait));
        let found: Option<StreamReadReply> = self.redis.xread_options(&[TURNS], &[">"], &one)?;
        Ok(found.into_iter().flat_map(|reply| reply.keys).flat_map(|stream| stream.ids).next())
    }

    /// Stores an answer and the session that gave it, and ends the turn. Does nothing and returns `false` if another
    /// worker has answered the call.
    pub fn finish(&mut self, turn: &Turn, saved: &[u8], answer: &str) -> RedisResult<bool> {
        let session = &turn.job.session;
        let mut finish = self.finish.key(TURNS);
        finish.key(key("calls", session)).key(key("answers", session)).key(key("saved", session));
        finish.arg(GROUP).arg(&turn.id).arg(session).arg(turn.call).arg(saved).arg(answer).arg(NEWS);
        finish.invoke(&mut self.redis)
    }

    /// Returns the answers of a session, in the order of its calls.
    pub fn answers(&mut self, session: &str) -> RedisResult<Vec<String>> {
        self.redis.lrange(key("answers", session), 0, -1)
    }

    /// Returns one more connection, for [`News`].
    pub fn connect(&self) -> RedisResult<Connection> {
        self.client.get_connection()
    }
}

/// Tells of each answer that is stored from now on.
pub struct News<'a>(PubSub<'a>);

impl<'a> News<'a> {
    pub fn on(connection: &'a mut Connection) -> RedisResult<Self> {
        let mut channel = connection.as_pubsub();
        channel.subscribe(NEWS)?;
        Ok(Self(channel))
    }

    /// Waits for an answer, and returns its session and the number of its call.
    pub fn next(&mut self) -> Result<(String, u64), Box<dyn Error>> {
        let text: String = self.0.get_message()?.get_payload()?;
        let (session, call) = text.rsplit_once(' ').ok_or("the news make no sense")?;
        Ok((session.to_owned(), call.parse()?))
    }
}

fn key(kind: &str, session: &str) -> String {
    format!("fleet:{kind}:{session}")
}

fn millis(duration: Duration) -> usize {
    usize::try_from(duration.as_millis()).unwrap_or(usize::MAX)
}
