;; Balances of accounts, in cents. Account 0 is the world outside, from which deposits come.
(module
  (import "bank" "rate" (func $rate (param $currency i32) (result i64)))
  (memory (export "memory") 1)

  (func $address (param $account i32) (result i32)
    (i32.shl (local.get $account) (i32.const 3)))
  (func $balance (export "balance") (param $account i32) (result i64)
    (i64.load (call $address (local.get $account))))
  (func $add (param $account i32) (param $cents i64)
    (i64.store (call $address (local.get $account)) (i64.add (call $balance (local.get $account)) (local.get $cents))))

  ;; While the bank is asked for its rate, the money has left one account and has not reached the other.
  (func (export "move") (param $from i32) (param $to i32) (param $cents i64) (param $currency i32)
    (call $add (local.get $from) (i64.sub (i64.const 0) (local.get $cents)))
    (call $add (local.get $to)
      (i64.div_s (i64.mul (local.get $cents) (call $rate (local.get $currency))) (i64.const 1000)))))
