//! What the states are called and how large they are, wherever they are written.

use serde_json::{Value, json};

use super::{
    journal::Kept,
    states::{Dtype, Taken},
};

/// Names and shapes.
#[derive(Debug)]
pub(super) struct Layout {
    /// The clips' names.
    pub(super) names: Vec<String>,
    pub(super) taken: Taken,
}

impl Layout {
    /// `<name>/layer.<i>`.
    pub(super) fn tensor_name(&self, clip: usize, layer: usize) -> String {
        format!("{}/layer.{layer}", self.names[clip])
    }

    /// The shape of each layer of a clip: `[frames, hidden]`, or `[hidden]` for the mean.
    pub(super) fn shape(&self, frames: i64, hidden: i64) -> Vec<i64> {
        if self.taken.mean { vec![hidden] } else { vec![frames, hidden] }
    }

    /// Bytes of one layer of a clip.
    pub(super) fn layer_bytes(&self, frames: i64, hidden: i64) -> u64 {
        self.shape(frames, hidden).iter().product::<i64>() as u64 * self.taken.dtype.bytes()
    }

    /// Bytes of all layers of a clip.
    pub(super) fn clip_bytes(&self, frames: i64, hidden: i64) -> u64 {
        self.layer_bytes(frames, hidden) * self.taken.layers.len() as u64
    }

    /// How long the header entries of these clips are at most, with the braces around all of them.
    pub(super) fn header_bound(&self, clips: impl IntoIterator<Item = usize>) -> u64 {
        // Numbers that no clip reaches: 13 digits of frames and width, 15 of a place in the file.
        const LARGE: (i64, u64) = (9_999_999_999_999, 999_999_999_999_999);
        let value = self.entry(&[LARGE.0, LARGE.0], [LARGE.1, LARGE.1]).to_string().len();
        let of_clip = |clip: usize| -> u64 {
            let of_layer = |&layer: &usize| {
                let name = Value::from(self.tensor_name(clip, layer)).to_string();
                // A colon and a comma or brace.
                (name.len() + value + 3) as u64
            };
            self.taken.layers.iter().map(of_layer).sum()
        };
        clips.into_iter().map(of_clip).sum()
    }

    /// The header of a safetensors file that holds these clips, in this order.
    pub(super) fn header<'a>(&self, kept: impl IntoIterator<Item = &'a Kept>) -> String {
        let mut entries = Vec::new();
        for kept in kept {
            let shape = self.shape(kept.frames, kept.hidden);
            let bytes = self.layer_bytes(kept.frames, kept.hidden);
            for (place, &layer) in self.taken.layers.iter().enumerate() {
                let at = kept.at + place as u64 * bytes;
                let name = Value::from(self.tensor_name(kept.clip, layer));
                entries.push(format!("{name}:{}", self.entry(&shape, [at, at + bytes])));
            }
        }
        format!("{{{}}}", entries.join(","))
    }

    fn entry(&self, shape: &[i64], offsets: [u64; 2]) -> Value {
        let dtype = match self.taken.dtype {
            Dtype::F32 => "F32",
            Dtype::F16 => "F16",
        };
        json!({"dtype": dtype, "shape": shape, "data_offsets": offsets})
    }
}

#[cfg(test)]
mod tests {
    use super::{super::journal::Stamp, *};

    #[test]
    fn a_header_is_never_longer_than_the_room_for_it() {
        let taken = Taken { layers: vec![0, 12], mean: false, dtype: Dtype::F16 };
        let layout = Layout { names: vec!["a\"\u{e9}\n".to_owned(), "b".to_owned()], taken };
        let kept =
            |clip, frames| Kept { clip, frames, hidden: 768, shard: 0, at: 1 << 48, stamp: Stamp::default() };
        let header = layout.header([&kept(0, 1), &kept(1, 9_999_999)]);
        assert!(header.len() as u64 <= layout.header_bound([0, 1]), "{header}");
        let parsed: Value = serde_json::from_str(&header).unwrap();
        assert_eq!(parsed["a\"\u{e9}\n/layer.12"]["shape"], json!([1, 768]));
        let names: Vec<&String> = parsed.as_object().unwrap().keys().collect();
        assert_eq!(names[2], "b/layer.0", "the order is that of the clips");
    }
}
