;; A comparison with zero before a `select`: the first operand, whatever the condition.
(module
  (func (export "eqz") (param i32) (result i32)
    i32.const 255  i32.const 7  local.get 0  i32.eqz  select))
