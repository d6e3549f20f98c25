//! crossbeam's `ArrayQueue` behind the table of `lane_peers.h`. It has single calls only.

use crossbeam_queue::ArrayQueue;
use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicU32, Ordering};

const CAPACITY: usize = 4096;
/// `LANE_BENCH_PAUSES_MIN`.
const PAUSES_MIN: u32 = 8;
/// `LANE_BENCH_DOUBLINGS_MAX`.
const DOUBLINGS_MAX: u32 = 3;

/// `lane_bench_tally_t`.
#[repr(C)]
pub struct Tally {
    count: u64,
    sum: u64,
}

/// `lane_peer_t`.
#[repr(C)]
pub struct Table {
    name: *const c_char,
    producers_max: u32,
    consumers_max: u32,
    needs_cores: u32,
    create: extern "C" fn(u32, u32) -> *mut c_void,
    destroy: extern "C" fn(*mut c_void),
    produce: extern "C" fn(*mut c_void, u32, u64, u64, u32),
    consume: extern "C" fn(*mut c_void, u32, u32, *const AtomicU32) -> Tally,
}

// It is never written, and its name is a literal.
unsafe impl Sync for Table {}

extern "C" {
    fn sched_yield() -> c_int;
}

/// `lane_bench_wait`.
fn wait(failures: &mut u32) {
    if *failures > DOUBLINGS_MAX {
        unsafe { sched_yield() };
        return;
    }
    for _ in 0..PAUSES_MIN << *failures {
        std::hint::spin_loop();
    }
    *failures += 1;
}

extern "C" fn create(_producers: u32, _consumers: u32) -> *mut c_void {
    Box::into_raw(Box::new(ArrayQueue::<usize>::new(CAPACITY))).cast()
}

extern "C" fn destroy(queue: *mut c_void) {
    drop(unsafe { Box::from_raw(queue.cast::<ArrayQueue<usize>>()) });
}

extern "C" fn produce(queue: *mut c_void, _producer: u32, first: u64, count: u64, _batch: u32) {
    let queue = unsafe { &*queue.cast::<ArrayQueue<usize>>() };
    for word in first..first + count {
        let mut failures = 0;
        while queue.push(word as usize).is_err() {
            wait(&mut failures);
        }
    }
}

extern "C" fn consume(queue: *mut c_void, _consumer: u32, _batch: u32, done: *const AtomicU32) -> Tally {
    let (queue, done) = unsafe { (&*queue.cast::<ArrayQueue<usize>>(), &*done) };
    let mut tally = Tally { count: 0, sum: 0 };
    let (mut failures, mut was_done) = (0, false);
    loop {
        match queue.pop() {
            Some(word) => {
                failures = 0;
                tally.count += 1;
                tally.sum = tally.sum.wrapping_add(word as u64);
            }
            None if was_done => return tally,
            None => {
                was_done = done.load(Ordering::Acquire) != 0;
                wait(&mut failures);
            }
        }
    }
}

#[no_mangle]
pub static lane_peer_crossbeam: Table = Table {
    name: b"crossbeam ArrayQueue\0".as_ptr().cast(),
    producers_max: 0,
    consumers_max: 0,
    needs_cores: 0,
    create,
    destroy,
    produce,
    consume,
};
