;; A store of a local to the address that it holds, with a large offset: a panic of the compiler.
(module
  (memory 2)
  (func (export "store") (param i32)
    local.get 0  i32.const 1  i32.and  local.set 0
    local.get 0  local.get 0  i32.store offset=65536))
