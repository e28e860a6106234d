//! A Redis server for one test.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use redis::Commands;

/// The command under test.
pub const FLEET: &str = env!("CARGO_BIN_EXE_fleet");

/// It listens on a socket in a folder of its own and keeps nothing on disk.
pub struct Server {
    process: Child,
    pub folder: PathBuf,
    pub address: String,
}

impl Server {
    pub fn start(test: &str) -> Self {
        // The path of a socket has at most some hundred bytes, and that of the target folder may have more.
        let folder = std::env::temp_dir().join(format!("fleet-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let socket = folder.join("redis.sock");
        let mut process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(&socket)
            .current_dir(&folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server starts");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut log = lines.map_while(Result::ok).inspect(|line| println!("redis-server: {line}"));
        // It goes on when no one reads its log any more.
        assert!(log.any(|line| line.to_lowercase().contains("ready to accept connections")));
        Self { process, folder, address: format!("unix://{}", socket.display()) }
    }

    /// Returns a command of the fleet, to be run with this server.
    pub fn fleet(&self, args: &[&str]) -> Command {
        let mut command = Command::new(FLEET);
        command.args(args).env("FLEET_REDIS", &self.address);
        command
    }

    /// Returns how many turns there are, taken or not.
    pub fn turns(&self) -> usize {
        redis::Client::open(&*self.address).unwrap().xlen("fleet:turns").unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait());
        let _ = fs::remove_dir_all(&self.folder);
    }
}
