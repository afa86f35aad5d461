//! The doctor's checks, each a function of a [`Machine`].

use std::path::Path;

use super::Check;
use super::machine::Machine;
use crate::cli::Device;
use crate::libtorch::VERSION;
use crate::libtorch::folder::{self, Fault, Libtorch};
use crate::workspace::LIBTORCH_VARIABLES;

const SETUP: &str = "cargo xtask setup";

/// Everything there is to say of a machine.
pub(super) fn look(machine: &Machine, device: Device, cuda: bool) -> Vec<Check> {
    let found = folder::inspect(&machine.root.join("libtorch"));
    let mut checks = vec![libtorch(&found), compiler(machine), download(machine, found.is_ok())];
    checks.extend([variables(machine), flags(machine), target_dir(machine)]);
    let wanted = match device {
        Device::Cuda(number) => Some(number),
        Device::Auto | Device::Cpu => cuda.then_some(0),
    };
    if let Some(number) = wanted {
        checks.extend([driver(machine, number), cuda_libtorch(&found)]);
    }
    checks
}

fn libtorch(found: &Result<Libtorch, Fault>) -> Check {
    const NAME: &str = "libtorch";
    match found {
        Ok(found) => Check::good(NAME, found.to_string()),
        Err(fault @ Fault::Absent { .. }) => Check::bad(NAME, fault.to_string(), SETUP),
        Err(fault @ Fault::Incomplete { .. }) => {
            Check::bad(NAME, format!("staged by half: {fault}"), format!("{SETUP} (stages it again)"))
        }
        Err(fault @ Fault::Version { .. }) => {
            let mend = format!("{SETUP}, or name a libtorch {VERSION} with --libtorch DIR");
            Check::bad(NAME, fault.to_string(), mend)
        }
        Err(fault @ Fault::Abi { .. }) => Check::bad(
            NAME,
            fault.to_string(),
            format!("{SETUP}, or name a cxx11-abi build with --libtorch DIR"),
        ),
    }
}

/// The compiler that the `cc` crate takes for C++: what `CXX` names, else `c++`.
fn compiler(machine: &Machine) -> Check {
    const NAME: &str = "compiler";
    const MEND: &str = "install g++ (Debian: apt install g++; Fedora: dnf install gcc-c++), or set CXX";
    let triple = format!("{}_unknown_linux_gnu", std::env::consts::ARCH);
    let names = [
        format!("CXX_{}", triple.replace("x86_64_", "x86_64-").replace("_linux_gnu", "-linux-gnu")),
        format!("CXX_{triple}"),
        "HOST_CXX".into(),
        "CXX".into(),
    ];
    let named =
        names.iter().find_map(|name| Some((name, machine.env.get(name).filter(|value| !value.is_empty())?)));
    let Some((variable, value)) = named else {
        return match ["c++", "g++", "clang++"].into_iter().find(|name| (machine.has_program)(name)) {
            Some("c++") => Check::good(NAME, "c++"),
            Some(other) => {
                Check::bad(NAME, format!("there is {other}, but no c++"), format!("export CXX={other}"))
            }
            None => Check::bad(NAME, "no C++ compiler, which torch-sys needs", MEND),
        };
    };
    // A wrapper such as `ccache g++` counts with its first word.
    if value.split_whitespace().next().is_some_and(|word| (machine.has_program)(word)) {
        Check::good(NAME, format!("{value} ({variable})"))
    } else {
        Check::bad(
            NAME,
            format!("{variable} is `{value}`, which is not there"),
            format!("unset {variable}, or {MEND}"),
        )
    }
}

/// A way to download libtorch, which matters only as long as there is none.
fn download(machine: &Machine, staged: bool) -> Check {
    const NAME: &str = "download";
    if staged {
        return Check::good(NAME, "not needed");
    }
    if (machine.has_network)() {
        return Check::good(NAME, "the Python registry answers");
    }
    if (machine.has_pip)() {
        return Check::good(NAME, "the Python registry does not answer; pip may know a mirror");
    }
    Check::bad(
        NAME,
        "no network and no pip",
        "bring libtorch or the three wheels from another machine (docs/developers/libtorch.md), then cargo xtask \
         setup --libtorch DIR or --wheels DIR",
    )
}

/// Variables that make a cargo called by hand build against another libtorch than xtask does.
fn variables(machine: &Machine) -> Check {
    const NAME: &str = "variables";
    let link = machine.root.join("libtorch");
    let same = |value: &str| {
        let dir = Path::new(value);
        dir == link || dir.canonicalize().ok().is_some_and(|dir| Some(dir) == link.canonicalize().ok())
    };
    let set: Vec<&str> = LIBTORCH_VARIABLES
        .into_iter()
        .filter(|name| machine.env.get(*name).is_some_and(|value| !(value.is_empty() || same(value))))
        .collect();
    if set.is_empty() {
        return Check::good(NAME, "none that changes libtorch");
    }
    let names = set.join(" ");
    Check::bad(
        NAME,
        format!("set: {names}; a cargo called by hand would build against another libtorch than the link"),
        format!("cargo xtask setup (links what they name), then unset {names}"),
    )
}

/// Compiler flags of the user's own, which replace those that lead the loader to libtorch.
fn flags(machine: &Machine) -> Check {
    const NAME: &str = "flags";
    let names = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTDOCFLAGS", "CARGO_ENCODED_RUSTDOCFLAGS"];
    let set: Vec<&str> = names
        .into_iter()
        .filter(|name| machine.env.get(*name).is_some_and(|value| !value.contains("libtorch/lib")))
        .collect();
    if set.is_empty() {
        return Check::good(NAME, "those of .cargo/config.toml");
    }
    let names = set.join(" ");
    Check::bad(
        NAME,
        format!("set: {names}, in place of the run path in .cargo/config.toml"),
        format!(
            "unset {names}; `sure` and `cargo xtask test` run all the same, other programs and tests need \
             LD_LIBRARY_PATH=libtorch/lib"
        ),
    )
}

/// A target folder elsewhere, from which the relative run paths do not lead to libtorch.
fn target_dir(machine: &Machine) -> Check {
    const NAME: &str = "target folder";
    let Some(dir) = &machine.target_dir else {
        return Check::bad(
            NAME,
            "cargo metadata did not answer",
            "run `cargo metadata --no-deps` and mend its error",
        );
    };
    if dir.parent() == Some(&machine.root) {
        return Check::good(NAME, dir.display().to_string());
    }
    let variable = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"]
        .into_iter()
        .find(|name| machine.env.contains_key(*name))
        .map_or_else(
            || "remove build.target-dir from cargo's configuration".into(),
            |name| format!("unset {name}"),
        );
    Check::bad(
        NAME,
        format!("{} is not in the checkout", dir.display()),
        format!(
            "{variable}; `sure` and `cargo xtask test` run all the same, other programs and tests need \
             LD_LIBRARY_PATH=libtorch/lib"
        ),
    )
}

fn driver(machine: &Machine, number: usize) -> Check {
    const NAME: &str = "cuda driver";
    const MEND: &str =
        "install the NVIDIA driver (in a container: start it with the GPU), or use --device cpu";
    match machine.gpus {
        None => Check::bad(NAME, "no NVIDIA driver", MEND),
        Some(gpus) if gpus <= number => {
            let mend = if gpus == 0 { MEND } else { "name one of those that are there" };
            Check::bad(NAME, format!("cuda:{number} asked for, {gpus} GPU(s) found"), mend)
        }
        Some(_) if !machine.has_libcuda => Check::bad(NAME, "the loader does not find libcuda.so.1", MEND),
        Some(gpus) => Check::good(NAME, format!("{gpus} GPU(s)")),
    }
}

fn cuda_libtorch(found: &Result<Libtorch, Fault>) -> Check {
    const NAME: &str = "cuda libtorch";
    match found {
        Ok(found) if found.cuda => Check::good(NAME, "libtorch_cuda is there"),
        Ok(_) => Check::bad(NAME, "this libtorch is for the CPU alone", "cargo xtask setup --cuda"),
        Err(_) => Check::bad(NAME, "no usable libtorch", "cargo xtask setup --cuda"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;

    /// A machine that lacks nothing, over a folder made for the test.
    fn whole(root: &Path) -> Machine {
        folder::write_fake(&root.join("libtorch"), VERSION, true);
        Machine {
            root: root.to_path_buf(),
            target_dir: Some(root.join("target")),
            env: BTreeMap::from([("LIBTORCH".into(), root.join("libtorch").display().to_string())]),
            has_program: Box::new(|name| name == "c++"),
            has_pip: Box::new(|| true),
            has_network: Box::new(|| true),
            gpus: Some(1),
            has_libcuda: true,
        }
    }

    /// Breaks a whole machine in one way and returns the checks that fail.
    fn broken(device: Device, spoil: impl FnOnce(&mut Machine)) -> Vec<Check> {
        let root = tempfile::tempdir().unwrap();
        let mut machine = whole(root.path());
        fs::write(root.path().join("libtorch/lib/libtorch_cuda.so"), "x").unwrap();
        spoil(&mut machine);
        let checks = look(&machine, device, false);
        checks.into_iter().filter(|check| !check.ok).collect()
    }

    /// The only failure, which must name the check and carry the words.
    fn only(failures: &[Check], name: &str, detail: &str, mend: &str) {
        let [check] = failures else { panic!("one failure expected: {failures:#?}") };
        assert_eq!(check.name, name);
        assert!(check.detail.contains(detail), "{check:?}");
        assert!(check.mend.as_ref().unwrap().contains(mend), "{check:?}");
    }

    fn set(name: &str, value: &str) -> impl FnOnce(&mut Machine) {
        move |machine| drop(machine.env.insert(name.into(), value.into()))
    }

    #[test]
    fn a_whole_machine_passes_for_every_device() {
        for device in [Device::Auto, Device::Cpu, Device::Cuda(0)] {
            assert_eq!(broken(device, |_| ()), []);
        }
    }

    #[test]
    fn absent_libtorch() {
        let failures =
            broken(Device::Auto, |machine| fs::remove_dir_all(machine.root.join("libtorch")).unwrap());
        only(&failures, "libtorch", "no libtorch at", "cargo xtask setup");
    }

    #[test]
    fn half_staged_libtorch() {
        for name in ["build-version", "lib/libtorch_cpu.so", "include/ATen/ATen.h"] {
            let failures = broken(Device::Auto, |machine| {
                fs::remove_file(machine.root.join("libtorch").join(name)).unwrap();
                fs::write(machine.root.join("libtorch/version.py"), "__version__ = '2.13.0'").unwrap();
            });
            only(&failures, "libtorch", name, "cargo xtask setup");
        }
    }

    #[test]
    fn empty_library() {
        let failures = broken(Device::Auto, |machine| {
            fs::write(machine.root.join("libtorch/lib/libc10.so"), "").unwrap();
        });
        only(&failures, "libtorch", "libc10.so is empty", "cargo xtask setup");
    }

    #[test]
    fn wrong_version() {
        let failures = broken(Device::Auto, |machine| {
            fs::write(machine.root.join("libtorch/build-version"), "2.9.1+cu128\n").unwrap();
        });
        only(&failures, "libtorch", "2.9.1+cu128", VERSION);
    }

    #[test]
    fn wrong_abi() {
        let failures = broken(Device::Auto, |machine| {
            folder::write_fake(&machine.root.join("libtorch"), VERSION, false);
        });
        only(&failures, "libtorch", "__cxx11", "cxx11-abi");
    }

    #[test]
    fn no_compiler() {
        let failures = broken(Device::Auto, |machine| machine.has_program = Box::new(|_| false));
        only(&failures, "compiler", "no C++ compiler", "apt install g++");
    }

    #[test]
    fn a_compiler_under_another_name() {
        let failures =
            broken(Device::Auto, |machine| machine.has_program = Box::new(|name| name == "clang++"));
        only(&failures, "compiler", "clang++", "export CXX=clang++");
    }

    #[test]
    fn a_named_compiler_that_is_not_there() {
        only(&broken(Device::Auto, set("CXX", "icpc -O2")), "compiler", "icpc", "unset CXX");
        assert_eq!(broken(Device::Auto, set("CXX", "c++ -O2")), []);
    }

    #[test]
    fn no_network_and_no_pip_matter_only_without_libtorch() {
        let cut_off = |machine: &mut Machine| {
            machine.has_network = Box::new(|| false);
            machine.has_pip = Box::new(|| false);
        };
        assert_eq!(broken(Device::Auto, cut_off), []);
        let failures = broken(Device::Auto, |machine| {
            cut_off(machine);
            fs::remove_dir_all(machine.root.join("libtorch")).unwrap();
        });
        assert_eq!(failures.iter().map(|check| check.name).collect::<Vec<_>>(), ["libtorch", "download"]);
        only(&failures[1..], "download", "no network", "--wheels");
    }

    #[test]
    fn another_libtorch_in_the_environment() {
        only(
            &broken(Device::Auto, set("LIBTORCH", "/opt/libtorch")),
            "variables",
            "LIBTORCH",
            "unset LIBTORCH",
        );
        only(&broken(Device::Auto, set("LIBTORCH_USE_PYTORCH", "1")), "variables", "USE_PYTORCH", "unset");
    }

    #[test]
    fn flags_that_replace_the_run_path() {
        only(&broken(Device::Auto, set("RUSTFLAGS", "-D warnings")), "flags", "RUSTFLAGS", "unset RUSTFLAGS");
        assert_eq!(broken(Device::Auto, set("RUSTFLAGS", "-Clink-arg=-Wl,-rpath,/x/libtorch/lib")), []);
    }

    #[test]
    fn a_target_folder_elsewhere() {
        let elsewhere = |machine: &mut Machine| machine.target_dir = Some("/tmp/target".into());
        only(&broken(Device::Auto, elsewhere), "target folder", "/tmp/target", "build.target-dir");
        let failures = broken(Device::Auto, |machine| {
            elsewhere(machine);
            set("CARGO_TARGET_DIR", "/tmp/target")(machine);
        });
        only(&failures, "target folder", "/tmp/target", "unset CARGO_TARGET_DIR");
        assert_eq!(broken(Device::Auto, |machine| machine.target_dir = Some(machine.root.join("build"))), []);
    }

    #[test]
    fn no_driver() {
        only(
            &broken(Device::Cuda(0), |machine| machine.gpus = None),
            "cuda driver",
            "no NVIDIA driver",
            "--device cpu",
        );
        assert_eq!(broken(Device::Cpu, |machine| machine.gpus = None), []);
    }

    #[test]
    fn no_driver_library() {
        let failures = broken(Device::Cuda(0), |machine| machine.has_libcuda = false);
        only(&failures, "cuda driver", "libcuda.so.1", "NVIDIA driver");
    }

    #[test]
    fn fewer_gpus_than_asked_for() {
        only(&broken(Device::Cuda(2), |_| ()), "cuda driver", "cuda:2 asked for, 1", "name one");
    }

    #[test]
    fn a_libtorch_for_the_cpu_alone() {
        let failures = broken(Device::Cuda(0), |machine| {
            fs::remove_file(machine.root.join("libtorch/lib/libtorch_cuda.so")).unwrap();
        });
        only(&failures, "cuda libtorch", "CPU alone", "setup --cuda");
    }
}
