//! The only unsafe code of the project, block by block with a reason.
