//! Reads an executable's ELF header: whether it runs in an image that holds nothing else, and on which processor.
//!
//! Only the few fields that decide that are read (System V ABI, "ELF Header" and "Program Header"); this is
//! no ELF library.

use deploy::model::Architecture;

/// `p_type` of the program header that names the dynamic loader.
const PT_INTERP: u32 = 3;

/// Why an executable cannot be the content of an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Too short, or another magic number.
    #[error("it is not an ELF executable")]
    NotElf,
    /// 32 bits or big-endian: no processor of Fargate's.
    #[error("it is not a 64-bit little-endian executable")]
    WrongClass,
    /// A program header lies outside the file.
    #[error("its program headers are cut off")]
    Truncated,
    /// It names a dynamic loader, and the image has none.
    #[error(
        "it is linked dynamically, and the image holds no loader and no libraries; it must be linked statically"
    )]
    Dynamic,
    #[error("it is for {found}, and the service runs on {wanted}")]
    WrongMachine {
        /// The processor that the executable is for.
        found: String,
        /// The processor that the service runs on.
        wanted: &'static str,
    },
}

/// Whether `executable` is a static executable for `architecture`.
pub(super) fn check(executable: &[u8], architecture: Architecture) -> Result<(), Fault> {
    if !executable.starts_with(b"\x7fELF") {
        return Err(Fault::NotElf);
    }
    // EI_CLASS is ELFCLASS64, EI_DATA is ELFDATA2LSB.
    if executable.get(4..6) != Some(&[2, 1]) {
        return Err(Fault::WrongClass);
    }
    let machine = u16::from_le_bytes(field(executable, 18).ok_or(Fault::Truncated)?);
    let (wanted_machine, wanted) = match architecture {
        Architecture::X86_64 => (62, "x86-64"),
        Architecture::Arm64 => (183, "AArch64"),
    };
    if machine != wanted_machine {
        let found = match machine {
            62 => "x86-64".to_owned(),
            183 => "AArch64".to_owned(),
            other => format!("ELF machine {other}"),
        };
        return Err(Fault::WrongMachine { found, wanted });
    }
    let headers_at = u64::from_le_bytes(field(executable, 32).ok_or(Fault::Truncated)?);
    let header_size = u64::from(u16::from_le_bytes(field(executable, 54).ok_or(Fault::Truncated)?));
    let headers = u64::from(u16::from_le_bytes(field(executable, 56).ok_or(Fault::Truncated)?));
    for index in 0..headers {
        let kind = index
            .checked_mul(header_size)
            .and_then(|offset| offset.checked_add(headers_at))
            .and_then(|offset| usize::try_from(offset).ok())
            .and_then(|offset| field(executable, offset))
            .map(u32::from_le_bytes)
            .ok_or(Fault::Truncated)?;
        if kind == PT_INTERP {
            return Err(Fault::Dynamic);
        }
    }
    Ok(())
}

fn field<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..offset.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An ELF header and program headers of these types, and nothing else.
    pub(in crate::image) fn executable(machine: u16, segments: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes[32..40].copy_from_slice(&64u64.to_le_bytes());
        bytes[54..56].copy_from_slice(&56u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&u16::try_from(segments.len()).unwrap().to_le_bytes());
        for segment in segments {
            bytes.extend_from_slice(&segment.to_le_bytes());
            bytes.resize(bytes.len() + 52, 0);
        }
        bytes
    }

    #[test]
    fn only_a_static_executable_for_the_services_processor_goes_into_an_image() {
        let x86 = Architecture::X86_64;
        let arm = Architecture::Arm64;
        let mut big_endian = executable(62, &[1]);
        big_endian[5] = 2;
        let mut thirty_two_bits = executable(62, &[1]);
        thirty_two_bits[4] = 1;
        let mut far_headers = executable(62, &[1]);
        far_headers[32..40].copy_from_slice(&u64::MAX.to_le_bytes());
        let cut = executable(62, &[1, 2, 1])[..130].to_vec();
        let machine = |found: &str, wanted| Fault::WrongMachine { found: found.to_owned(), wanted };
        let table = [
            (executable(62, &[1, 2, 6]), x86, Ok(())),
            (executable(183, &[1]), arm, Ok(())),
            (executable(62, &[]), x86, Ok(())),
            (executable(62, &[6, 3, 1]), x86, Err(Fault::Dynamic)),
            (executable(183, &[1]), x86, Err(machine("AArch64", "x86-64"))),
            (executable(62, &[1]), arm, Err(machine("x86-64", "AArch64"))),
            (executable(243, &[1]), x86, Err(machine("ELF machine 243", "x86-64"))),
            (big_endian, x86, Err(Fault::WrongClass)),
            (thirty_two_bits, x86, Err(Fault::WrongClass)),
            (far_headers, x86, Err(Fault::Truncated)),
            (cut, x86, Err(Fault::Truncated)),
            (b"\x7fELF\x02\x01".to_vec(), x86, Err(Fault::Truncated)),
            (b"#!/bin/sh\n".to_vec(), x86, Err(Fault::NotElf)),
            (Vec::new(), x86, Err(Fault::NotElf)),
        ];
        for (index, (bytes, architecture, expected)) in table.into_iter().enumerate() {
            assert_eq!(check(&bytes, architecture), expected, "row {index}");
        }
    }
}
