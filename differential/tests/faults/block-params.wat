;; A local's value below a block with parameters: read from a slot that nobody wrote.
(module
  (func (export "if") (param i32) (result i32) (local i32)
    i32.const 5  local.set 1
    local.get 1
    i32.const 9
    local.get 0
    if (param i32) drop else local.set 1 end))
