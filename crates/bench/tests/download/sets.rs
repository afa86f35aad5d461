//! The paper's data sets, tiny, in their owners' layouts.

#![expect(clippy::format_push_string, reason = "a few lines each")]

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
};

use hound::{SampleFormat, WavSpec, WavWriter};

/// Samples of a clip: half a second, which is 24 frames.
const SAMPLES: u32 = 8_000;

/// Writes a file with the folders above it.
pub(crate) fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A clip that is like no other: its pitch comes from its path.
fn clip(path: &Path, is_high: bool) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let spec =
        WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut writer = WavWriter::create(path, spec).unwrap();
    let own: u32 = path.file_name().unwrap().to_string_lossy().bytes().map(u32::from).sum::<u32>()
        + path.to_string_lossy().bytes().map(u32::from).sum::<u32>() % 997;
    let pitch = if is_high { 1760.0 } else { 220.0 } + own as f32 / 9.0;
    for sample in 0..SAMPLES + own % 400 {
        let phase = 2.0 * std::f32::consts::PI * pitch * sample as f32 / 16_000.0;
        writer.write_sample((6000.0 * phase.sin()) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

fn word(number: usize) -> &'static str {
    if number.is_multiple_of(2) { "low" } else { "high" }
}

pub(crate) fn esd(root: &Path) {
    for speaker in ["0011", "0012"] {
        let mut list = String::new();
        for (number, (emotion, first)) in [("Neutral", 1), ("Angry", 351)].into_iter().enumerate() {
            for (split, id) in
                [("evaluation", first), ("test", first + 20), ("train", first + 50), ("train", first + 51)]
            {
                let id = format!("{speaker}_{id:06}");
                clip(&root.join(format!("{speaker}/{emotion}/{split}/{id}.wav")), number == 1);
                list += &format!("{id}\tGo {}.\t{emotion}\r\n", word(number));
            }
        }
        write(&root.join(format!("{speaker}/{speaker}.txt")), list.as_bytes());
    }
}

pub(crate) fn meld(root: &Path) {
    for (split, count) in [("train", 4), ("dev", 2), ("test", 2)] {
        let mut list =
            "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season\n".to_owned();
        for number in 0..count {
            clip(&root.join(format!("{split}/dia{number}_utt{number}.wav")), number % 2 == 1);
            let emotion = ["joy", "anger"][number % 2];
            list += &format!("{number},\"Go, {}!\",Joey,{emotion},x,{number},{number},8\n", word(number));
        }
        write(&root.join(format!("{split}_sent_emo.csv")), list.as_bytes());
    }
}

pub(crate) fn vctk(root: &Path) {
    for (index, speaker) in ["p225", "p226"].into_iter().enumerate() {
        for number in 1..=10 {
            clip(&root.join(format!("VCTK-Corpus/wav48/{speaker}/{speaker}_{number:03}.wav")), index == 1);
            let text = root.join(format!("VCTK-Corpus/txt/{speaker}/{speaker}_{number:03}.txt"));
            write(&text, b"Please call Stella.\n");
        }
    }
}

pub(crate) fn fluent(root: &Path) {
    for (part, count) in [("train", 4), ("valid", 2), ("test", 2)] {
        let mut list = ",path,speakerId,transcription,action,object,location\n".to_owned();
        for number in 0..count {
            let path = format!("wavs/speakers/2BqVo/{part}{number}.wav");
            clip(&root.join(&path), number % 2 == 1);
            let intent = ["increase,volume,none", "decrease,heat,kitchen"][number % 2];
            list += &format!("{number},{path},2BqVo,Go {},{intent}\n", word(number));
        }
        write(&root.join(format!("data/{part}_data.csv")), list.as_bytes());
    }
}

pub(crate) fn librispeech(root: &Path) {
    for (part, speaker, count) in [("train-clean-100", 103, 4), ("dev-clean", 84, 2), ("test-clean", 61, 2)] {
        let chapter = root.join(format!("LibriSpeech/{part}/{speaker}/1240"));
        let mut list = String::new();
        for number in 0..count {
            // The content tells the kind, not the name.
            clip(&chapter.join(format!("{speaker}-1240-{number:04}.flac")), number % 2 == 1);
            list += &format!("{speaker}-1240-{number:04} GO {}\n", word(number).to_uppercase());
        }
        write(&chapter.join(format!("{speaker}-1240.trans.txt")), list.as_bytes());
    }
}

pub(crate) fn fleurs(root: &Path) {
    for (part, count) in [("train", 4), ("dev", 2), ("test", 2)] {
        let mut list = String::new();
        for number in 0..count {
            clip(&root.join(format!("data/en_us/audio/{part}/{number}77.wav")), number % 2 == 1);
            let word = word(number);
            list += &format!("9\t{number}77.wav\tGo {word}.\tgo {word}\tg o\t1600\tMALE\n");
        }
        write(&root.join(format!("data/en_us/{part}.tsv")), list.as_bytes());
    }
}

pub(crate) fn speech_commands(root: &Path) {
    for (index, word) in ["yes", "four", "right"].into_iter().enumerate() {
        for speaker in ["0a", "0b", "0c", "0d"] {
            clip(&root.join(format!("{word}/{speaker}_nohash_0.wav")), index == 1);
        }
    }
    let list = |speaker: &str| {
        ["yes", "four", "right"].map(|word| format!("{word}/{speaker}_nohash_0.wav\n")).concat()
    };
    write(&root.join("testing_list.txt"), list("0c").as_bytes());
    write(&root.join("validation_list.txt"), list("0d").as_bytes());
}

pub(crate) fn snips(root: &Path) {
    let mut list = String::new();
    for (index, voice) in ["Aditi", "Brian", "Ivy"].into_iter().enumerate() {
        for split in ["train", "valid", "test"] {
            clip(&root.join(format!("SNIPS/{split}/{voice}-snips-{split}-0.wav")), index == 1);
            let (genre, artist) = [("POP", "ABBA"), ("FUNK", "PRINCE"), ("POP", "PRINCE")][index];
            list += &format!("{voice}-snips-{split}-0 BOS {genre} {artist} EOS\tO genre artist PlayMusic\n");
        }
    }
    write(&root.join("SNIPS/all.iob.snips.txt"), list.as_bytes());
}

/// A folder as a gzipped tar.
pub(crate) fn tar_gz(folder: &Path, archive: &Path) {
    fs::create_dir_all(archive.parent().unwrap()).unwrap();
    let gzip = flate2::write::GzEncoder::new(File::create(archive).unwrap(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    tar.append_dir_all(".", folder).unwrap();
    tar.into_inner().unwrap().finish().unwrap();
}

/// A folder as a zip archive.
pub(crate) fn zip(folder: &Path, archive: &Path) {
    fn add(zip: &mut zip::ZipWriter<File>, root: &Path, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(zip, root, &path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                zip.start_file(name, zip::write::FileOptions::default()).unwrap();
                zip.write_all(&fs::read(&path).unwrap()).unwrap();
            }
        }
    }
    fs::create_dir_all(archive.parent().unwrap()).unwrap();
    let mut zip = zip::ZipWriter::new(File::create(archive).unwrap());
    add(&mut zip, folder, folder);
    zip.finish().unwrap();
}
