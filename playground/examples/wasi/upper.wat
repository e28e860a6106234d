;; Reads /poem.txt, and writes it in capitals to standard output and to /POEM.TXT.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "poem.txt")
  (data (i32.const 80) "POEM.TXT")

  ;; Opens a name of eight bytes in the first open directory, descriptor 3, and returns its descriptor.
  (func $open (param $name i32) (param $create i32) (result i32)
    (if (call $path_open (i32.const 3) (i32.const 0) (local.get $name) (i32.const 8)
          (local.get $create) (i64.const 0x42) (i64.const 0) (i32.const 0) (i32.const 0))
      (then (call $exit (i32.const 1))))
    (i32.load (i32.const 0)))

  (func (export "_start")
    (local $file i32) (local $length i32) (local $at i32) (local $byte i32)
    ;; A vector of one buffer, at 8: the address 4096, and the length.
    (i32.store (i32.const 8) (i32.const 4096))
    (i32.store (i32.const 12) (i32.const 4096))
    (local.set $file (call $open (i32.const 64) (i32.const 0)))
    (drop (call $fd_read (local.get $file) (i32.const 8) (i32.const 1) (i32.const 16)))
    (drop (call $fd_close (local.get $file)))
    (local.set $length (i32.load (i32.const 16)))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $at) (local.get $length)))
        (local.set $byte (i32.load8_u offset=4096 (local.get $at)))
        (if (i32.lt_u (i32.sub (local.get $byte) (i32.const 97)) (i32.const 26))
          (then (i32.store8 offset=4096 (local.get $at) (i32.sub (local.get $byte) (i32.const 32)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.store (i32.const 12) (local.get $length))
    (drop (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))
    ;; 1: create the file.
    (local.set $file (call $open (i32.const 80) (i32.const 1)))
    (drop (call $fd_write (local.get $file) (i32.const 8) (i32.const 1) (i32.const 16)))
    (call $exit (i32.const 0))))
