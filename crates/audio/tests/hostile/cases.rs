//! Each hostile file with what becomes of it.

use crate::build::{
    AIFF_16_KHZ, FLOAT, Fmt, PCM, after, big_chunk, chunk, common, fixture, form, page, pages, put, resealed,
    riff, setup_bomb, sound, wav,
};

/// What becomes of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    /// It is refused, and the message holds this reason; it is empty where overflow checks of the decoding library,
    /// on or off, decide which of two reasons it is.
    Refused(&'static str),
    /// It is odd, but whole: it is decoded to this many samples.
    Decoded(usize),
}

use Outcome::{Decoded, Refused};

pub(crate) type Case = (&'static str, Vec<u8>, Outcome);

pub(crate) fn not_audio() -> Vec<Case> {
    vec![
        ("empty.wav", vec![], Refused("it is empty")),
        ("text.flac", b"This is not audio.\n".repeat(100), Refused("starts with the bytes")),
        ("gzip.ogg", [&b"\x1f\x8b\x08\0"[..], &[0xff; 900]].concat(), Refused("gzip")),
        ("picture.aiff", [&b"\x89PNG\r\n\x1a\n"[..], &[0xff; 900]].concat(), Refused("picture")),
        ("zeros.mp3", vec![0; 5000], Refused("starts with the bytes")),
        ("ones.mp3", vec![0xff; 5000], Refused("starts with the bytes")),
        (
            "mp3-inside-text.mp3",
            [b"text".to_vec(), fixture("fixtures/tagged.mp3")].concat(),
            Refused("starts with"),
        ),
        // The content decides, and not the name.
        ("mp3.wav", fixture("fixtures/tagged.mp3"), Decoded(3200)),
        ("wav.mp3", wav(PCM), Decoded(1000)),
    ]
}

pub(crate) fn of_wav() -> Vec<Case> {
    let data = || chunk(b"data", &[7; 2000]);
    let float =
        |value: f32| riff(&[FLOAT.chunk(), chunk(b"data", &[1.0, value].map(f32::to_le_bytes).concat())]);
    let with = |fmt: Fmt| wav(fmt);
    vec![
        ("riff-alone.wav", b"RIFF".to_vec(), Refused("starts with the bytes")),
        ("riff-wave-alone.wav", b"RIFF\x04\0\0\0WAVE".to_vec(), Refused("missing data chunk")),
        ("rifx.wav", put(wav(PCM), 0, b"RIFX"), Refused("RIFX")),
        ("cut-in-fmt.wav", wav(PCM)[..30].to_vec(), Refused("ends inside its header")),
        ("cut-in-data.wav", wav(PCM)[..44 + 701].to_vec(), Refused("350 are there")),
        ("riff-of-zero.wav", put(wav(PCM), 4, &[0; 4]), Refused("invalid riff length")),
        ("riff-too-short.wav", put(wav(PCM), 4, &[40, 0, 0, 0]), Refused("exceeds parent")),
        ("data-of-zero.wav", put(wav(PCM), 40, &[0; 4]), Refused("zero samples")),
        (
            "data-of-gigabytes.wav",
            put(put(wav(PCM), 4, &[0xfe; 4]), 40, &[0x11; 4]),
            Refused("1000 are there"),
        ),
        (
            "data-of-ones.wav",
            put(put(wav(PCM), 4, &[0xff; 4]), 40, &[0xff; 4]),
            Refused("does not state its length"),
        ),
        ("fmt-of-ones.wav", put(put(wav(PCM), 4, &[0xff; 4]), 16, &[0xff; 4]), Refused("malformed fmt")),
        ("fmt-of-15.wav", put(wav(PCM), 16, &[15, 0, 0, 0]), Refused("malformed fmt")),
        ("no-channels.wav", with(Fmt { channels: 0, ..PCM }), Refused("invalid channel count")),
        ("65535-channels.wav", with(Fmt { channels: 65_535, ..PCM }), Refused("")),
        ("65-channels.wav", with(Fmt { channels: 65, align: 130, ..PCM }), Refused("invalid channel count")),
        ("0-hertz.wav", with(Fmt { rate_hz: 0, ..PCM }), Refused("0 Hz")),
        ("4-gigahertz.wav", with(Fmt { rate_hz: u32::MAX, ..PCM }), Refused("4294967295 Hz")),
        ("0-bits.wav", with(Fmt { bits: 0, ..PCM }), Refused("bits per sample")),
        ("7-bits.wav", with(Fmt { bits: 7, ..PCM }), Refused("bits per sample")),
        ("255-bits.wav", with(Fmt { bits: 255, ..PCM }), Refused("bits per sample")),
        ("16-bit-floats.wav", with(Fmt { bits: 16, ..FLOAT }), Refused("bits per sample")),
        ("mp3-inside.wav", with(Fmt { tag: 0x55, ..PCM }), Refused("unsupported")),
        ("adpcm.wav", with(Fmt { tag: 2, bits: 4, ..PCM }), Refused("malformed")),
        ("extensible-too-short.wav", with(Fmt { tag: 0xfffe, ..PCM }), Refused("malformed")),
        ("other-subformat.wav", put(fixture("fixtures/float-64.wav"), 44, &[0x77; 16]), Refused("sub-type")),
        ("nan.wav", float(f32::NAN), Refused("sample 1 of")),
        ("infinity.wav", float(f32::NEG_INFINITY), Refused("sample 1 of")),
        ("data-before-fmt.wav", riff(&[data(), PCM.chunk()]), Refused("missing format chunk")),
        ("no-fmt.wav", riff(&[chunk(b"junk", &[0; 99]), data()]), Refused("missing format chunk")),
        ("no-data.wav", riff(&[PCM.chunk(), chunk(b"junk", &[0; 99])]), Refused("missing data chunk")),
        (
            "list-too-long.wav",
            riff(&[PCM.chunk(), b"LIST\xff\xff\xff\x7fINFO".to_vec(), data()]),
            Refused("exceeds"),
        ),
        // Odd, but nothing is lost.
        ("nested-riff.wav", riff(&[PCM.chunk(), wav(PCM), data()]), Decoded(1000)),
        ("two-fmts.wav", riff(&[PCM.chunk(), PCM.chunk(), data()]), Decoded(1000)),
        ("odd-chunk.wav", riff(&[PCM.chunk(), chunk(b"junk", &[0; 7]), data()]), Decoded(1000)),
        ("half-a-sample.wav", riff(&[PCM.chunk(), chunk(b"data", &[7; 1001])]), Decoded(500)),
        ("block-align-0.wav", with(Fmt { align: 0, ..PCM }), Decoded(1000)),
    ]
}

pub(crate) fn of_flac() -> Vec<Case> {
    let flac = || fixture("data/mono-16.flac");
    let flipped = |place: usize| {
        let byte = flac()[place] ^ 0x10;
        put(flac(), place, &[byte])
    };
    // STREAMINFO: block sizes at 8, rate, channels and bits at 18, samples at 22, MD5 at 26.
    vec![
        ("marker-alone.flac", b"fLaC".to_vec(), Refused("ends inside its header")),
        ("streaminfo-alone.flac", flac()[..42].to_vec(), Refused("ends inside its header")),
        ("cut.flac", flac()[..1500].to_vec(), Refused("1500 samples a channel")),
        ("bit-flip-in-a-frame.flac", flipped(1200), Refused("1500 samples a channel, 0 are")),
        ("bit-flip-in-the-last-frame.flac", flipped(2100), Refused("1500 samples a channel, 0 are")),
        ("bad-md5.flac", flipped(30), Refused("MD5")),
        ("more-samples.flac", put(flac(), 22, &9000_u32.to_be_bytes()), Refused("9000 samples")),
        ("fewer-samples.flac", put(flac(), 22, &900_u32.to_be_bytes()), Refused("promises 900 samples")),
        ("no-length.flac", put(flac(), 22, &[0; 4]), Refused("does not state its length")),
        ("a-year.flac", put(flac(), 22, &[0xff; 4]), Refused("limit is 21600 s")),
        ("0-hertz.flac", put(flac(), 18, &[0, 0, 0]), Refused("rate out of bounds")),
        ("8-channels.flac", put(flac(), 20, &[0x2e]), Refused("is corrupt")),
        ("blocks-of-1.flac", put(flac(), 8, &[0, 1, 0, 1]), Refused("minimum block length")),
        ("metadata-too-long.flac", put(flac(), 43, &[0xff; 3]), Refused("ends inside its header")),
        ("reserved-block-type.flac", put(flac(), 4, &[0x7f]), Refused("missing stream info")),
        ("metadata-without-end.flac", put(flac(), 42, &[0x04]), Refused("is corrupt")),
    ]
}

pub(crate) fn of_mp3() -> Vec<Case> {
    let tagged = || fixture("fixtures/tagged.mp3");
    // Eight frames of 216 bytes, and a tag.
    let untagged = || fixture("fixtures/untagged-id3v1.mp3")[..8 * 216].to_vec();
    let frames = after(&tagged(), b"Info") + 4;
    let lame = after(&tagged(), b"LAME3.100");
    let id3 = |size: [u8; 4]| [&b"ID3\x04\0\0"[..], &size, &tagged()].concat();
    vec![
        ("header-alone.mp3", untagged()[..4].to_vec(), Refused("ends inside its header")),
        ("cut-in-the-first-frame.mp3", untagged()[..200].to_vec(), Refused("ends inside its header")),
        (
            "cut-in-a-frame.mp3",
            untagged()[..1000].to_vec(),
            Refused("136 bytes of it belong to no MP3 frame"),
        ),
        ("cut.mp3", tagged()[..1700].to_vec(), Refused("truncated")),
        ("id3-alone.mp3", b"ID3\x04\0\0\0\0\0\0".to_vec(), Refused("it is empty")),
        ("id3-too-long.mp3", id3([0x7f; 4]), Refused("ID3 tag promises 268435455 bytes")),
        ("id3-not-well-formed.mp3", id3([0xff; 4]), Refused("not well-formed")),
        (
            "id3-too-short.mp3",
            id3([0, 0, 0, 0])[..].iter().copied().take(10).chain([0; 64]).chain(tagged()).collect(),
            Refused("starts with the bytes"),
        ),
        ("junk-at-the-end.mp3", [untagged(), vec![0x55; 300]].concat(), Refused("300 bytes of it")),
        (
            "junk-in-the-middle.mp3",
            [&untagged()[..648], &[0x55; 99], &untagged()[648..]].concat(),
            Refused("99 bytes of it"),
        ),
        ("hole.mp3", [&tagged()[..648], &tagged()[864..]].concat(), Refused("truncated")),
        ("free-format.mp3", put(untagged(), 2, &[0x08]), Refused("216 bytes of it")),
        ("reserved-rate.mp3", put(untagged(), 2, &[0x6c]), Refused("216 bytes of it")),
        (
            "another-rate-half-way.mp3",
            [untagged(), fixture("fixtures/stereo-id3v2.mp3").split_off(200)].concat(),
            Refused("signal spec"),
        ),
        (
            "four-billion-frames.mp3",
            put(put(tagged(), frames, &[0xff; 4]), lame + 25, &[0; 2]),
            Refused("limit is 21600 s"),
        ),
        ("no-frames.mp3", put(tagged(), frames, &[0; 4]), Refused("promises 0 samples")),
        ("more-frames.mp3", put(tagged(), frames, &[0, 0, 0, 9]), Refused("truncated")),
        (
            "only-padding.mp3",
            put(put(tagged(), lame + 12, &[0xff; 3]), lame + 25, &[0; 2]),
            Refused("zero samples"),
        ),
        ("bit-flip-in-side-information.mp3", put(untagged(), 432 + 4, &[0xff; 9]), Refused("big_values")),
    ]
}

/// Whole but for the books: the page after the setup ends the stream.
fn setup_bomb_pages() -> Vec<u8> {
    let first = pages(&fixture("fixtures/pages.ogg")).swap_remove(0);
    let comments = page(0, 1, b"\x03vorbis\0\0\0\0\0\0\0\0\x01");
    [resealed(&first, 14, &[1, 0, 0, 0]), comments, page(0, 2, &setup_bomb()), page(4, 3, &[0; 9])].concat()
}

pub(crate) fn of_ogg() -> Vec<Case> {
    let all = || pages(&fixture("fixtures/pages.ogg"));
    let joined = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut pages = all();
        change(&mut pages);
        pages.concat()
    };
    // A page: flags at 5, end in samples at 6, number at 18, body (of a page of one packet) at 28; the first body has
    // the channels at 11 and the rate at 12.
    let ident = |place: usize, new: &[u8]| joined(&|pages| pages[0] = resealed(&pages[0], 28 + place, new));
    let last = |place: usize, new: &[u8]| joined(&|pages| pages[9] = resealed(&pages[9], place, new));
    vec![
        ("page-header-alone.ogg", all()[0][..27].to_vec(), Refused("ends inside its page 1")),
        ("first-page-alone.ogg", all()[0].clone(), Refused("last page is missing")),
        ("headers-alone.ogg", all()[..2].concat(), Refused("last page is missing")),
        ("no-first-page.ogg", all()[1..].concat(), Refused("not marked as first")),
        ("broken-checksum.ogg", joined(&|pages| pages[5][40] ^= 1), Refused("checksum of its page 6")),
        (
            "broken-checksum-of-the-headers.ogg",
            joined(&|pages| pages[1][900] ^= 1),
            Refused("checksum of its page 2"),
        ),
        (
            "broken-checksum-of-the-end.ogg",
            joined(&|pages| pages[9][40] ^= 1),
            Refused("checksum of its page 10"),
        ),
        ("hole.ogg", joined(&|pages| drop(pages.remove(4))), Refused("number 3 is followed by number 5")),
        ("swapped-pages.ogg", joined(&|pages| pages.swap(4, 6)), Refused("is followed by number")),
        ("no-end.ogg", joined(&|pages| drop(pages.pop())), Refused("last page is missing")),
        ("cut.ogg", fixture("fixtures/pages.ogg")[..3900].to_vec(), Refused("ends inside its page 9")),
        ("end-too-late.ogg", last(6, &4000_u64.to_le_bytes()), Refused("promises 4000 samples")),
        ("end-of-ones.ogg", last(6, &[0xff; 8]), Refused("limit is 21600 s")),
        ("end-in-a-thousand-years.ogg", last(6, &(u64::MAX / 2).to_le_bytes()), Refused("limit is 21600 s")),
        ("no-channels.ogg", ident(11, &[0]), Refused("is corrupt")),
        ("255-channels.ogg", ident(11, &[255]), Refused("channels")),
        ("0-hertz.ogg", ident(12, &[0; 4]), Refused("is corrupt")),
        ("4-gigahertz.ogg", ident(12, &[0xff; 4]), Refused("4294967295 Hz")),
        ("another-version.ogg", ident(7, &[1]), Refused("is corrupt")),
        ("blocks-of-2.ogg", ident(28, &[0x11]), Refused("is corrupt")),
        (
            "setup-of-ones.ogg",
            joined(&|pages| pages[1] = resealed(&pages[1], 200, &[0xff; 400])),
            Refused("vorbis:"),
        ),
        ("setup-bomb.ogg", setup_bomb_pages(), Refused("code books need more than 8388608 bytes")),
        ("opus.ogg", fixture("fixtures/opus.ogg"), Refused("unsupported")),
        ("flac.ogg", fixture("fixtures/flac.oga"), Decoded(3200)),
        (
            "odd-numbers.ogg",
            joined(&|pages| pages[9] = resealed(&pages[9], 18, &[77])),
            Refused("number 8 is followed by number 77"),
        ),
    ]
}

pub(crate) fn of_aiff() -> Vec<Case> {
    let good = || common(1, 500, 16, AIFF_16_KHZ);
    let with = |common: Vec<u8>| form(&[common, sound()]);
    let rated = |rate: [u8; 10]| with(common(1, 500, 16, rate));
    let exponent = |first: u8, second: u8| [first, second, 0xfa, 0, 0, 0, 0, 0, 0, 0];
    let lying_sound = |new: &[u8], place: usize| form(&[good(), put(sound(), place, new)]);
    vec![
        ("good.aiff", with(good()), Decoded(500)),
        ("form-alone.aiff", b"FORM\0\0\0\x04AIFF".to_vec(), Refused("missing common")),
        (
            "cut-in-common.aiff",
            with(good())[..30].to_vec(),
            Refused("\"COMM\" promises 18 bytes, 10 are left"),
        ),
        ("cut-in-sound.aiff", with(good())[..700].to_vec(), Refused("\"SSND\" promises 1008 bytes")),
        ("more-frames.aiff", with(common(1, 501, 16, AIFF_16_KHZ)), Refused("promises 501 samples")),
        ("fewer-frames.aiff", with(common(1, 499, 16, AIFF_16_KHZ)), Refused("promises 499 samples")),
        ("frames-of-ones.aiff", with(common(1, u32::MAX, 16, AIFF_16_KHZ)), Refused("limit is 21600 s")),
        ("65-channels.aiff", with(common(65, 3, 16, AIFF_16_KHZ)), Refused("states 65 channels")),
        ("no-channels.aiff", with(common(0, 500, 16, AIFF_16_KHZ)), Refused("channel")),
        ("65535-channels.aiff", with(common(65_535, 500, 16, AIFF_16_KHZ)), Refused("")),
        ("0-bits.aiff", with(common(1, 500, 0, AIFF_16_KHZ)), Refused("bits per sample")),
        ("7-bits.aiff", with(common(1, 500, 7, AIFF_16_KHZ)), Refused("promises 500 samples")),
        ("255-bits.aiff", with(common(1, 500, 255, AIFF_16_KHZ)), Refused("bits per sample")),
        ("0-hertz.aiff", rated([0; 10]), Refused("rate cannot be 0")),
        ("nan-hertz.aiff", rated([0xff; 10]), Refused("not a real number")),
        ("infinite-hertz.aiff", rated([0x7f, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]), Refused("not a real number")),
        ("4-gigahertz.aiff", rated(exponent(0x40, 0x2f)), Refused("4294967295 Hz")),
        ("negative-hertz.aiff", rated(exponent(0xc0, 0x0c)), Refused("rate cannot be 0")),
        ("tiny-hertz.aiff", rated(exponent(0x00, 0x01)), Refused("rate cannot be 0")),
        ("sound-of-ones.aiff", lying_sound(&[0xff; 4], 4), Refused("\"SSND\" promises 4294967295 bytes")),
        ("sound-of-zero.aiff", lying_sound(&[0; 4], 4), Refused("promises 117901063 bytes")),
        ("offset-of-ones.aiff", lying_sound(&[0xff; 4], 8), Refused("offset too large")),
        ("blocks-of-ones.aiff", lying_sound(&[0xff; 4], 12), Refused("block-aligned")),
        ("no-common.aiff", form(&[sound()]), Refused("missing common")),
        ("no-sound.aiff", form(&[good()]), Refused("promises 500 samples")),
        ("two-commons.aiff", form(&[good(), good(), sound()]), Refused("multiple common")),
        ("two-sounds.aiff", form(&[good(), sound(), sound()]), Refused("multiple sound")),
        (
            "name-of-ones.aiff",
            form(&[b"NAME\xff\xff\xff\xf0".to_vec(), good(), sound()]),
            Refused("\"NAME\" promises"),
        ),
        (
            "many-markers.aiff",
            form(&[big_chunk(b"MARK", &[0xff; 2]), good(), sound()]),
            Refused("is corrupt"),
        ),
        ("another-coding.aifc", put(fixture("fixtures/sowt.aifc"), 50, b"ima4"), Refused("not supported")),
    ]
}
