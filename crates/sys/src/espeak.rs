//! The C library of eSpeak NG, opened at run time: its program prints no times of phones, the library reports them.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_short, c_uint, c_void},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Why eSpeak NG could not speak.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EspeakError {
    /// The library is not installed, or is another one.
    #[error(
        "cannot open libespeak-ng.so.1: {reason}; install it (Debian: apt-get install libespeak-ng1 espeak-ng-data)"
    )]
    NotThere {
        /// The linker's own words.
        reason: String,
    },
    /// A call failed.
    #[error("eSpeak NG refused {what} {value:?}")]
    Refused {
        /// What was asked of it.
        what: &'static str,
        /// The value.
        value: String,
    },
}

/// How a text is spoken, in eSpeak NG's own units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EspeakProsody {
    /// Base pitch, 0 to 99; 50 is the voice's own.
    pub pitch: i32,
    /// Range of the pitch, 0 to 99; 50 is the voice's own, 0 a monotone.
    pub range: i32,
    /// Words a minute, 80 to 450.
    pub rate: i32,
    /// Amplitude, 0 to 200; 100 is the voice's own.
    pub volume: i32,
}

/// What eSpeak NG said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EspeakSpeech {
    /// `[samples]`.
    pub samples: Vec<i16>,
    /// Samples a second.
    pub rate_hz: u32,
    /// eSpeak NG's names of the phones, with the sample at which each begins.
    pub phones: Vec<(String, usize)>,
}

/// The opened library. It has one state for the whole process, so there is one of these at a time.
#[derive(Debug)]
pub struct Espeak {
    calls: Calls,
    rate_hz: u32,
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::new(());
/// Where the library's callback puts what it is given.
static HEARD: Mutex<EspeakSpeech> =
    Mutex::new(EspeakSpeech { samples: Vec::new(), rate_hz: 0, phones: Vec::new() });

const SYNCHRONOUS: c_int = 2;
const PHONEME_EVENTS_DONT_EXIT: c_int = 0x8001;
const RATE: c_int = 1;
const VOLUME: c_int = 2;
const PITCH: c_int = 3;
const RANGE: c_int = 4;
const POSITION_CHARACTER: c_int = 1;
const CHARS_UTF8: c_uint = 1;
const EVENT_LIST_END: c_int = 0;
const EVENT_PHONEME: c_int = 7;

/// `espeak_EVENT` of `speak_lib.h`, revision 12.
#[repr(C)]
struct Event {
    kind: c_int,
    unique_identifier: c_uint,
    text_position: c_int,
    length: c_int,
    audio_position: c_int,
    sample: c_int,
    user_data: *mut c_void,
    /// A union, of which phone events use the characters.
    id: [u8; 8],
}

type Callback = unsafe extern "C" fn(*mut c_short, c_int, *mut Event) -> c_int;

type Info = unsafe extern "C" fn(*mut *const c_char) -> *const c_char;
type Initialize = unsafe extern "C" fn(c_int, c_int, *const c_char, c_int) -> c_int;
type SetCallback = unsafe extern "C" fn(Option<Callback>);
type SetVoice = unsafe extern "C" fn(*const c_char) -> c_int;
type SetParameter = unsafe extern "C" fn(c_int, c_int, c_int) -> c_int;
type Synth = unsafe extern "C" fn(
    *const c_void,
    usize,
    c_uint,
    c_int,
    c_uint,
    c_uint,
    *mut c_uint,
    *mut c_void,
) -> c_int;
type Synchronize = unsafe extern "C" fn() -> c_int;

#[derive(Debug, Clone, Copy)]
struct Calls {
    info: Info,
    initialize: Initialize,
    set_callback: SetCallback,
    set_voice: SetVoice,
    set_parameter: SetParameter,
    synth: Synth,
    synchronize: Synchronize,
}

impl Espeak {
    /// Opens the library; waits while somebody else in this process has it.
    ///
    /// # Errors
    /// [`EspeakError::NotThere`].
    #[expect(unsafe_code, reason = "calls into a C library")]
    pub fn open() -> Result<Self, EspeakError> {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = Calls::find()?;
        // SAFETY: a null path is the library's own; `listen` has the type of the library's callback. The library is
        // never ended: its end waits for a thread that a synchronous library need not have.
        let rate = unsafe {
            let rate = (calls.initialize)(SYNCHRONOUS, 0, std::ptr::null(), PHONEME_EVENTS_DONT_EXIT);
            (calls.set_callback)(Some(listen));
            rate
        };
        let rate_hz = u32::try_from(rate).ok().filter(|rate| *rate > 0);
        let refused = || EspeakError::Refused { what: "to start, with status", value: rate.to_string() };
        Ok(Self { calls, rate_hz: rate_hz.ok_or_else(refused)?, _alone: alone })
    }

    /// Its version, for example `1.51`.
    #[expect(unsafe_code, reason = "calls into a C library")]
    pub fn version(&self) -> String {
        let mut folder: *const c_char = std::ptr::null();
        // SAFETY: the function takes a place for a pointer and returns a static string.
        let text = unsafe { CStr::from_ptr((self.calls.info)(&raw mut folder)) };
        // `1.51  Data at: ...` in some builds.
        text.to_string_lossy().split_whitespace().next().unwrap_or_default().to_owned()
    }

    /// Speaks `text` with a voice, for example `en-us+anika`. The library carries a state from text to text (where it
    /// is in a voice's flutter, for one) that nothing resets: the answer is a function of everything that the process
    /// has had it speak, in order.
    ///
    /// # Errors
    /// [`EspeakError::Refused`] for a voice or a text that the library does not take.
    #[expect(unsafe_code, reason = "calls into a C library")]
    pub fn speak(
        &mut self,
        voice: &str,
        prosody: EspeakProsody,
        text: &str,
    ) -> Result<EspeakSpeech, EspeakError> {
        let refused = |what, value: &str| EspeakError::Refused { what, value: value.to_owned() };
        let name = CString::new(voice).map_err(|_| refused("the voice", voice))?;
        let words = CString::new(text).map_err(|_| refused("the text", text))?;
        *heard() = EspeakSpeech { rate_hz: self.rate_hz, ..EspeakSpeech::default() };
        let calls = self.calls;
        // SAFETY: the pointers are valid C strings that outlive the synchronous calls; `self` is the only user of the
        // library in this process; the callback touches nothing but a mutex of ours and never unwinds.
        let outcome = unsafe {
            if (calls.set_voice)(name.as_ptr()) == 0 {
                for (parameter, value) in [
                    (RATE, prosody.rate),
                    (VOLUME, prosody.volume),
                    (PITCH, prosody.pitch),
                    (RANGE, prosody.range),
                ] {
                    (calls.set_parameter)(parameter, value, 0);
                }
                let bytes = words.as_bytes_with_nul();
                let spoken = (calls.synth)(
                    bytes.as_ptr().cast(),
                    bytes.len(),
                    0,
                    POSITION_CHARACTER,
                    0,
                    CHARS_UTF8,
                    std::ptr::null_mut(),
                    std::ptr::null_mut(),
                );
                if spoken == 0 && (calls.synchronize)() == 0 {
                    Ok(())
                } else {
                    Err(refused("the text", text))
                }
            } else {
                Err(refused("the voice", voice))
            }
        };
        outcome.map(|()| std::mem::take(&mut *heard()))
    }
}

fn heard() -> MutexGuard<'static, EspeakSpeech> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes up a piece of speech and the events in it; the list of events ends with one of kind 0.
#[expect(unsafe_code, reason = "called by a C library")]
unsafe extern "C" fn listen(wave: *mut c_short, samples: c_int, events: *mut Event) -> c_int {
    let mut heard = heard();
    if !wave.is_null() && samples > 0 {
        // SAFETY: the library gives `samples` valid samples at `wave` for the length of this call.
        heard.samples.extend_from_slice(unsafe { std::slice::from_raw_parts(wave, samples as usize) });
    }
    let mut event = events;
    // SAFETY: the list is valid for the length of this call and ends with an event of kind 0.
    while let Some(one) = unsafe { event.as_ref() }
        && one.kind != EVENT_LIST_END
    {
        if one.kind == EVENT_PHONEME {
            let end = one.id.iter().position(|&byte| byte == 0).unwrap_or(one.id.len());
            let name = String::from_utf8_lossy(&one.id[..end]).into_owned();
            heard.phones.push((name, one.sample.max(0) as usize));
        }
        // SAFETY: there is a next event as long as this one is not of kind 0.
        event = unsafe { event.add(1) };
    }
    0
}

impl Calls {
    #[cfg(unix)]
    #[expect(unsafe_code, reason = "dlopen and dlsym are C calls")]
    fn find() -> Result<Self, EspeakError> {
        // SAFETY: the names are C strings; the symbols have the types that speak_lib.h gives them, which the library's
        // soname (`.so.1`) promises to keep; dlerror is read at once.
        unsafe {
            let reason = || {
                let text = libc::dlerror();
                let text = if text.is_null() { c"no reason given" } else { CStr::from_ptr(text) };
                EspeakError::NotThere { reason: text.to_string_lossy().into_owned() }
            };
            let library = libc::dlopen(c"libespeak-ng.so.1".as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
            if library.is_null() {
                return Err(reason());
            }
            macro_rules! symbol {
                ($name:literal, $call:ty) => {{
                    let found = libc::dlsym(library, $name.as_ptr());
                    if found.is_null() {
                        return Err(reason());
                    }
                    std::mem::transmute::<*mut c_void, $call>(found)
                }};
            }
            Ok(Self {
                info: symbol!(c"espeak_Info", Info),
                initialize: symbol!(c"espeak_Initialize", Initialize),
                set_callback: symbol!(c"espeak_SetSynthCallback", SetCallback),
                set_voice: symbol!(c"espeak_SetVoiceByName", SetVoice),
                set_parameter: symbol!(c"espeak_SetParameter", SetParameter),
                synth: symbol!(c"espeak_Synth", Synth),
                synchronize: symbol!(c"espeak_Synchronize", Synchronize),
            })
        }
    }

    #[cfg(not(unix))]
    fn find() -> Result<Self, EspeakError> {
        Err(EspeakError::NotThere { reason: "only Unix is supported".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: EspeakProsody = EspeakProsody { pitch: 50, range: 50, rate: 170, volume: 100 };

    /// The library, or none with a word about it: a user need not have it.
    fn library() -> Option<Espeak> {
        match Espeak::open() {
            Ok(espeak) => Some(espeak),
            Err(error) => {
                println!("skipped: {error}");
                None
            }
        }
    }

    #[test]
    fn what_is_spoken_comes_with_its_phones() {
        let Some(mut espeak) = library() else { return };
        let spoken = espeak.speak("en-us+anika", PLAIN, "a green house").unwrap();
        assert!(spoken.samples.len() > spoken.rate_hz as usize / 2);
        let names: Vec<&str> = spoken.phones.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.contains(&"h") && names.contains(&"s"), "{names:?}");
        assert!(spoken.phones.is_sorted_by_key(|(_, sample)| *sample));
        assert!(spoken.phones.last().unwrap().1 <= spoken.samples.len());
        let hurried =
            espeak.speak("en-us+anika", EspeakProsody { rate: 300, ..PLAIN }, "a green house").unwrap();
        assert!(hurried.samples.len() < spoken.samples.len());
    }

    #[test]
    fn a_voice_that_is_not_there_is_refused() {
        let Some(mut espeak) = library() else { return };
        let error = espeak.speak("xx-nowhere", PLAIN, "hello").unwrap_err();
        assert!(error.to_string().contains("xx-nowhere"), "{error}");
    }
}
