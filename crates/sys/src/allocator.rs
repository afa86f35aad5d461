//! Allocator settings for tensor work.

/// Tells glibc to keep large blocks instead of giving them back to the kernel after every step.
///
/// Tensors of some megabytes come and go at every layer; by default each one is a fresh `mmap` whose pages must be
/// zeroed again. Call it once at the start of a binary. Does nothing on other C libraries.
pub fn tune_allocator() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const MMAP_THRESHOLD: libc::c_int = 1 << 30;
        const TOP_PAD: libc::c_int = 64 << 20;
        // SAFETY: mallopt only sets process-wide tuning values of the allocator; it is called before other threads
        // start, and an unknown parameter is refused without effect.
        #[expect(unsafe_code, reason = "mallopt is a C call without a safe wrapper")]
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, MMAP_THRESHOLD);
            libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
            libc::mallopt(libc::M_TOP_PAD, TOP_PAD);
        }
    }
}
