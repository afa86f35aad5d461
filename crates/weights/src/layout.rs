//! Where the elements of a tensor lie in its storage.

use crate::ViewFault;

/// A view of a storage, in elements.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Layout {
    pub(crate) offset: usize,
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<usize>,
}

impl Layout {
    /// How many elements there are, where all of them lie in a storage of `length` elements, each in a place of its own.
    pub(crate) fn check(&self, length: usize) -> Result<usize, ViewFault> {
        if self.shape.len() != self.strides.len() {
            return Err(ViewFault::Ranks);
        }
        if self.shape.contains(&0) {
            return if self.offset <= length { Ok(0) } else { Err(ViewFault::Outside) };
        }
        let count = self.shape.iter().try_fold(1usize, |count, size| count.checked_mul(*size));
        let count = count.ok_or(ViewFault::Overflow)?;
        // From the smallest stride on: a step must lead beyond everything that the smaller ones reach.
        let mut dims: Vec<_> = self.dims().collect();
        dims.sort_unstable_by_key(|(_, stride)| *stride);
        let mut reach = 0usize;
        for (size, stride) in dims {
            if stride <= reach {
                return Err(ViewFault::Overlap);
            }
            let further = (size - 1).checked_mul(stride).and_then(|further| reach.checked_add(further));
            reach = further.ok_or(ViewFault::Overflow)?;
        }
        let last = self.offset.checked_add(reach).ok_or(ViewFault::Overflow)?;
        if last < length { Ok(count) } else { Err(ViewFault::Outside) }
    }

    /// Whether the elements lie one behind the other in their order.
    pub(crate) fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        for (size, stride) in self.dims().rev() {
            if stride != expected {
                return false;
            }
            expected = stride * size;
        }
        true
    }

    /// Copies the elements of `size` bytes in their order. The layout has been checked against the storage, and has
    /// `count` elements.
    pub(crate) fn copy(&self, storage: &[u8], size: usize, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count * size);
        let dims: Vec<_> = self.dims().collect();
        let mut index = vec![0; dims.len()];
        let mut place = self.offset;
        for _ in 0..count {
            bytes.extend_from_slice(&storage[place * size..(place + 1) * size]);
            for (digit, (length, stride)) in index.iter_mut().zip(&dims).rev() {
                *digit += 1;
                place += stride;
                if *digit < *length {
                    break;
                }
                *digit = 0;
                place -= stride * length;
            }
        }
        bytes
    }

    /// Sizes with their strides, without those of size 1, whose stride means nothing.
    fn dims(&self) -> impl DoubleEndedIterator<Item = (usize, usize)> + '_ {
        self.shape.iter().copied().zip(self.strides.iter().copied()).filter(|(size, _)| *size != 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(offset: usize, shape: &[usize], strides: &[usize]) -> Layout {
        Layout { offset, shape: shape.to_vec(), strides: strides.to_vec() }
    }

    #[test]
    fn views_inside_their_storage_are_counted() {
        for (view, length, count) in [
            (layout(0, &[2, 3], &[3, 1]), 6, 6),
            (layout(0, &[3, 2], &[1, 3]), 6, 6),
            (layout(5, &[], &[]), 6, 1),
            (layout(1, &[2, 2], &[4, 2]), 8, 4),
            (layout(0, &[1, 2], &[0, 1]), 2, 2),
            (layout(6, &[0, 3], &[3, 1]), 6, 0),
            (layout(0, &[usize::MAX, 0], &[1, 1]), 0, 0),
        ] {
            assert_eq!(view.check(length), Ok(count), "{view:?}");
        }
    }

    #[test]
    fn views_that_reach_out_or_meet_themselves_are_refused() {
        for (view, length, fault) in [
            (layout(0, &[2, 3], &[3, 1]), 5, ViewFault::Outside),
            (layout(6, &[], &[]), 6, ViewFault::Outside),
            (layout(7, &[0], &[1]), 6, ViewFault::Outside),
            (layout(usize::MAX, &[2], &[1]), 6, ViewFault::Overflow),
            (layout(0, &[usize::MAX, 2], &[1, 1]), 6, ViewFault::Overflow),
            (layout(0, &[2], &[usize::MAX]), 6, ViewFault::Outside),
            (layout(0, &[3], &[usize::MAX]), 6, ViewFault::Overflow),
            (layout(0, &[2, 2], &[1, 1]), 6, ViewFault::Overlap),
            (layout(0, &[4], &[0]), 6, ViewFault::Overlap),
            (layout(0, &[2, 3], &[2, 1]), 6, ViewFault::Overlap),
            (layout(0, &[2, 3], &[3]), 6, ViewFault::Ranks),
        ] {
            assert_eq!(view.check(length), Err(fault), "{view:?}");
        }
    }

    #[test]
    fn strided_elements_are_copied_in_order() {
        let storage: Vec<u8> = (0..24).collect();
        let view = layout(1, &[3, 1, 2], &[1, 7, 4]);
        assert_eq!((view.check(12), view.is_contiguous()), (Ok(6), false));
        assert_eq!(view.copy(&storage, 2, 6), [2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15]);
        assert!(layout(3, &[2, 1, 3], &[3, 99, 1]).is_contiguous());
    }
}
