use wasmlark::{Sandbox, Value};
fn main() {
    let n: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let mut session = Sandbox::new().load("a.star", "def f(x):\n    return x\n").unwrap();
    let mut sum = 0;
    for i in 0..n {
        let r = session.call_values("f", &[Value::from(i)]).unwrap();
        if r == Value::from(i) {
            sum += 1;
        }
    }
    println!("{sum}");
}
