//! Pickles that are made to do harm, in both forms: each is refused with the reason.

use sure_weights::{PickleFault, ViewFault, WeightsError};

use crate::make::{
    dict, fault, files, global, int, ints, legacy, open, pickle, refused, storage, tensor, tensor_of, text,
    tuple, zip,
};

/// A file in both forms with one entry, and a storage of six 32-bit numbers.
fn both(value: Vec<u8>) -> [Vec<u8>; 2] {
    let object = pickle(&[dict(&[("a", value)])]);
    let storage = [&6u64.to_le_bytes()[..], &[1; 24]].concat();
    [zip(&files(&object, 24)), legacy(&object, &["0"], &storage)]
}

#[test]
fn a_good_file_made_the_same_way_is_taken() {
    for bytes in both(tensor(6, 1, &[2, 2], &[3, 1])) {
        let file = open(&bytes).unwrap();
        let view = file.get("a").unwrap().unwrap();
        assert_eq!((view.shape, view.data.len()), (&[2, 2][..], 16));
    }
}

#[test]
fn names_that_could_be_called_are_refused_by_name() {
    for (module, name) in [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("__builtin__", "exec"),
        ("subprocess", "Popen"),
        ("torch", "load"),
        ("torch.storage", "_load_from_bytes"),
        ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ("torch.serialization", "load"),
        ("collections", "namedtuple"),
        ("torch", "Storage"),
        ("torch", "os.system.Storage"),
    ] {
        let call = [global(module, name), tuple(&[text("id")]), b"R".to_vec()].concat();
        let PickleFault::Global(named) = fault(&pickle(&[dict(&[("a", call)])])) else {
            panic!("{module}.{name}")
        };
        assert_eq!(named, format!("`{module}.{name}`"));
    }
    // A call inside the arguments of a call that is known.
    let call = [global("os", "system"), tuple(&[text("id")]), b"R".to_vec()].concat();
    let nested = tensor_of(call, int(0), ints(&[1]), ints(&[1]));
    assert_eq!(fault(&pickle(&[dict(&[("a", nested)])])), PickleFault::Global("`os.system`".into()));
}

#[test]
fn the_place_of_a_refused_step_is_named() {
    let object = pickle(&[dict(&[("a", global("os", "system"))])]);
    let bytes = legacy(&object, &[], &[]);
    let at = bytes.windows(4).position(|bytes| bytes == b"cos\n").unwrap() as u64;
    assert!(matches!(refused(&bytes), WeightsError::Pickle { at: place, .. } if place == at));
    let bytes = zip(&files(&object, 0));
    let at = bytes.windows(4).position(|bytes| bytes == b"cos\n").unwrap() as u64;
    assert!(matches!(refused(&bytes), WeightsError::Pickle { at: place, .. } if place == at));
}

#[test]
fn only_the_three_functions_can_be_called_and_only_as_pytorch_calls_them() {
    let calls = [
        // What a call returns, a text, a type.
        [tensor(6, 0, &[6], &[1]), b")R".to_vec()].concat(),
        [text("eval"), b")R".to_vec()].concat(),
        [global("torch", "FloatStorage"), b")R".to_vec()].concat(),
        [global("torch", "float32"), b")R".to_vec()].concat(),
        // Other arguments than PyTorch's.
        [global("collections", "OrderedDict"), tuple(&[text("x")]), b"R".to_vec()].concat(),
        [global("torch._utils", "_rebuild_tensor_v2"), b")R".to_vec()].concat(),
        [
            global("torch._utils", "_rebuild_parameter"),
            tuple(&[text("x"), text("y"), text("z")]),
            b"R".to_vec(),
        ]
        .concat(),
        [global("torch._utils", "_rebuild_tensor_v2"), b"}R".to_vec()].concat(),
        tensor_of(text("0"), int(0), ints(&[1]), ints(&[1])),
        tensor_of(storage("FloatStorage", "0", 6), text("0"), ints(&[1]), ints(&[1])),
        tensor_of(storage("FloatStorage", "0", 6), int(0), int(1), ints(&[1])),
        tensor_of(storage("FloatStorage", "0", 6), int(0), tuple(&[text("1")]), ints(&[1])),
        // A persistent id of something else.
        [text("0"), b"Q".to_vec()].concat(),
        [tuple(&[text("module"), text("x"), text("0"), text("cpu"), int(1)]), b"Q".to_vec()].concat(),
        [tuple(&[text("storage"), text("x"), text("0"), text("cpu"), int(1)]), b"Q".to_vec()].concat(),
        // Attributes of something else than a dictionary, or that are none.
        [text("x"), b"}b".to_vec()].concat(),
        b"}N".to_vec().into_iter().chain(*b"b").collect(),
        tensor(6, 0, &[6], &[1]).into_iter().chain(*b"}b").collect(),
    ];
    for call in calls {
        let fault = fault(&pickle(&[dict(&[("a", call.clone())])]));
        assert!(matches!(fault, PickleFault::Value { .. }), "{fault:?} of {}", call.escape_ascii());
    }
}

#[test]
fn steps_that_make_objects_are_refused_by_name() {
    for (code, name) in [
        (b'i', "INST"),
        (b'o', "OBJ"),
        (0x81, "NEWOBJ"),
        (0x92, "NEWOBJ_EX"),
        (0x82, "EXT1"),
        (0x83, "EXT2"),
        (0x84, "EXT4"),
        (0x93, "STACK_GLOBAL"),
        (b'P', "PERSID"),
        (b'2', "DUP"),
        (b'0', "POP"),
        (b'S', "STRING"),
        (0x8b, "LONG4"),
        (0x97, "NEXT_BUFFER"),
        (0xff, "none"),
    ] {
        let step = [&b"N"[..], &[code], b"os\nsystem\n"].concat();
        let fault = fault(&pickle(&[step]));
        assert_eq!(fault, PickleFault::Opcode(code));
        assert!(fault.to_string().contains(name), "{fault}");
    }
    for version in [0, 1, 3, 4, 5, 255] {
        assert_eq!(fault(&[0x80, version, b'}', b'.']), PickleFault::Protocol(version));
    }
}

#[test]
fn sizes_that_are_negative_or_cannot_be_counted_are_refused() {
    for value in [
        tensor(-6, 0, &[6], &[1]),
        tensor(6, -1, &[6], &[1]),
        tensor(6, 0, &[-6], &[1]),
        tensor(6, 0, &[6], &[-1]),
        tensor(6, 5, &[6], &[-1]),
    ] {
        assert_eq!(fault(&pickle(&[dict(&[("a", value)])])), PickleFault::Number);
    }
    assert_eq!(fault(&pickle(&[b"\x8a\x09\0\0\0\0\0\0\0\0\x01".to_vec()])), PickleFault::Number);
}

#[test]
fn views_that_their_storage_does_not_hold_are_refused() {
    let big = i64::MAX;
    for (offset, shape, strides, expected) in [
        (1, &[6][..], &[1][..], ViewFault::Outside),
        (6, &[], &[], ViewFault::Outside),
        (7, &[0], &[1], ViewFault::Outside),
        (0, &[2, 2], &[5, 1], ViewFault::Outside),
        (big, &[1], &[1], ViewFault::Outside),
        (0, &[big, big], &[1, 1], ViewFault::Overflow),
        (0, &[3], &[big], ViewFault::Outside),
        (0, &[4], &[big], ViewFault::Overflow),
        (0, &[2, 3], &[1, 1], ViewFault::Overlap),
        (0, &[big], &[0], ViewFault::Overlap),
        (0, &[6], &[], ViewFault::Ranks),
    ] {
        for bytes in both(tensor(6, offset, shape, strides)) {
            let error = refused(&bytes);
            assert!(matches!(error, WeightsError::View { fault, .. } if fault == expected), "{error}");
        }
    }
}

#[test]
fn storages_that_lie_are_refused() {
    let other = |kind, key, length| {
        pickle(&[dict(&[
            ("a", tensor(6, 0, &[6], &[1])),
            ("b", tensor_of(storage(kind, key, length), int(0), ints(&[1]), ints(&[1]))),
        ])])
    };
    assert_eq!(fault(&other("FloatStorage", "0", 5)), PickleFault::Storage("`0`".into()));
    assert_eq!(fault(&other("IntStorage", "0", 6)), PickleFault::Storage("`0`".into()));
    let missing = other("FloatStorage", "../../etc/passwd", 6);
    assert!(matches!(refused(&zip(&files(&missing, 24))), WeightsError::Container { .. }));
    assert!(matches!(refused(&legacy(&missing, &["0"], &[])), WeightsError::Container { .. }));
    // More, fewer, or uncountably many bytes than the pickle says.
    let object = |length| pickle(&[dict(&[("a", tensor(length, 0, &[1], &[1]))])]);
    for length in [0, 5, 7, i64::MAX, i64::MAX / 2] {
        assert!(matches!(refused(&zip(&files(&object(length), 24))), WeightsError::Container { .. }));
    }
    let stored = |length: u64, bytes: usize| [&length.to_le_bytes()[..], &vec![1; bytes]].concat();
    for (length, storage) in [
        (6, stored(6, 23)),
        (6, stored(5, 24)),
        (6, stored(u64::MAX, 24)),
        (6, vec![1; 7]),
        (6, Vec::new()),
        (i64::MAX, stored(i64::MAX as u64, 24)),
    ] {
        let error = refused(&legacy(&object(length), &["0"], &storage));
        assert!(matches!(error, WeightsError::Container { .. }), "{error}");
    }
    let good = stored(6, 24);
    for keys in [&["0", "0"][..], &["1"], &["0", "1"], &[]] {
        let error = refused(&legacy(&object(6), keys, &[good.clone(), good.clone()].concat()));
        assert!(matches!(error, WeightsError::Container { .. }), "{error}");
    }
}

#[test]
fn lengths_beyond_the_end_are_refused() {
    for step in [
        &b"X\xff\xff\xff\xffabc"[..],
        b"X\0\0\0",
        b"T\xff\xff\xff\x7f",
        b"U\xffabc",
        b"\x8a\xff\x01",
        b"J\x01",
        b"G\0\0",
        b"cos",
        b"cos\nsystem",
        b"r\x01",
    ] {
        // No end behind it, which would be taken for a part of it.
        let object = [b"\x80\x02", step].concat();
        let bytes = zip(&files(&object, 0));
        assert!(matches!(refused(&bytes), WeightsError::Pickle { fault: PickleFault::Truncated, .. }));
    }
    let name = format!("c{}\nsystem\n", "a".repeat(1 << 20)).into_bytes();
    assert_eq!(fault(&pickle(&[name])), PickleFault::Truncated);
    assert_eq!(fault(&pickle(&[b"X\x02\0\0\0\xff\xfe".to_vec()])), PickleFault::Text);
    assert_eq!(fault(&pickle(&[b"h\x05".to_vec()])), PickleFault::Memo(5));
    assert_eq!(fault(&pickle(&[b"j\xff\xff\xff\xff".to_vec()])), PickleFault::Memo(u32::MAX));
}

#[test]
fn dictionaries_that_hold_each_other_end_at_a_limit() {
    // Each holds the one before it many times: 32 to the power of the depth.
    let mut steps = vec![b"}q\x00".to_vec()];
    for depth in 1..7u8 {
        steps.push([b"}q", &[depth][..], b"("].concat());
        for key in 0..32 {
            steps.push([int(key), vec![b'h', depth - 1]].concat());
        }
        steps.push(b"u".to_vec());
    }
    let error = refused(&zip(&files(&pickle(&steps), 0)));
    assert!(matches!(error, WeightsError::TooMuch { what: "entries", .. }), "{error}");
    // One that holds itself.
    let error = refused(&zip(&files(&pickle(&[b"}q\x00".to_vec(), int(1), b"h\x00s".to_vec()]), 0)));
    assert!(matches!(error, WeightsError::TooMuch { what: "dictionaries inside each other", .. }), "{error}");
    // A long name in many places.
    let key = [text(&"k".repeat(1 << 20)), b"q\x01".to_vec()].concat();
    let mut steps = vec![b"}".to_vec(), key, b"Ns".to_vec()];
    steps.resize(3 + 200, b"h\x01Ns".to_vec());
    let error = refused(&zip(&files(&pickle(&steps), 0)));
    assert!(matches!(error, WeightsError::TooMuch { what: "bytes of names", .. }), "{error}");
}

#[test]
fn values_without_end_are_refused() {
    for steps in [vec![b'N'; 2 << 20], vec![b'('; 2 << 20], vec![b'}'; 2 << 20], b"h\x00".repeat(2 << 20)] {
        let object = pickle(&[b"Nq\x00".to_vec(), steps]);
        assert!(matches!(fault(&object), PickleFault::TooMuch("values")));
    }
    let list = [b"Nq\x00]".to_vec(), b"h\x00a".repeat(5 << 20)].concat();
    assert_eq!(fault(&pickle(&[list])), PickleFault::TooMuch("values"));
    let axes = tensor_of(storage("FloatStorage", "0", 6), int(0), ints(&[1; 65]), ints(&[1; 65]));
    assert_eq!(fault(&pickle(&[dict(&[("a", axes)])])), PickleFault::TooMuch("axes"));
}

#[test]
fn a_small_file_cannot_hold_large_tensors_by_sharing() {
    let mut items = vec![("first".to_owned(), tensor(100_000, 0, &[100_000], &[1]))];
    items.extend((0..50).map(|number| (format!("t{number}"), tensor(100_000, 0, &[100_000], &[1]))));
    let items: Vec<_> = items.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let error = refused(&zip(&files(&pickle(&[dict(&items)]), 400_000)));
    assert!(matches!(error, WeightsError::TooMuch { what: "bytes of tensors", .. }), "{error}");
    assert!(open(&zip(&files(&pickle(&[dict(&items[..4])]), 400_000))).is_ok());
}

#[test]
fn one_name_for_two_tensors_is_refused() {
    let twice = dict(&[("a", tensor(6, 0, &[6], &[1])), ("a", tensor(6, 0, &[1], &[1]))]);
    let inside = dict(&[("a.b", tensor(6, 0, &[6], &[1])), ("a", dict(&[("b", tensor(6, 0, &[1], &[1]))]))]);
    for object in [twice, inside] {
        assert!(matches!(refused(&zip(&files(&pickle(&[object]), 24))), WeightsError::Duplicate { .. }));
    }
}

#[test]
fn what_is_no_dictionary_is_refused() {
    for value in [tensor(6, 0, &[6], &[1]), text("a"), b"N".to_vec(), b"]".to_vec()] {
        let bytes = zip(&files(&pickle(&[value]), 24));
        assert!(matches!(refused(&bytes), WeightsError::Container { .. }));
    }
}

#[test]
fn a_machine_of_another_order_of_bytes_is_refused() {
    let object = pickle(&[dict(&[])]);
    let good = legacy(&object, &[], &[]);
    assert!(open(&good).is_ok());
    let place = good.iter().position(|byte| *byte == 0x88).unwrap();
    let mut other = good.clone();
    other[place] = 0x89;
    assert!(matches!(refused(&other), WeightsError::Container { .. }));
    let mut archive = files(&object, 0);
    archive[1] = crate::make::Zipped::new("archive/byteorder", b"big");
    assert!(matches!(refused(&zip(&archive)), WeightsError::Container { .. }));
}
