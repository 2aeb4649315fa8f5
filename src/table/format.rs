//! What files are written in.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The format of a file of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Comma-separated values, RFC 4180.
    Csv,
    /// Apache Parquet; read and written with feature `parquet`.
    Parquet,
    /// The file format of Apache Arrow (IPC, Feather V2); read and written with feature `ipc`.
    Ipc,
}

/// The encoding of a text file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// GB 18030, which holds GBK and GB 2312.
    Gb18030,
}

impl Format {
    /// The word of descriptions and options: `csv`, `parquet`, `ipc`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Ipc => "ipc",
        }
    }

    /// The format of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Csv, Self::Parquet, Self::Ipc].into_iter().find(|format| format.as_str() == word)
    }

    /// The format of a file: by its first bytes, else by its extension.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        Self::of_first_bytes(path).or_else(|| Self::of_extension(path))
    }

    /// The format that the extension of a path says; for files that are yet to be written.
    #[must_use]
    pub fn of_extension(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" | "tsv" | "txt" => Some(Self::Csv),
            "parquet" | "pq" => Some(Self::Parquet),
            "arrow" | "feather" | "ipc" => Some(Self::Ipc),
            _ => None,
        }
    }

    fn of_first_bytes(path: &Path) -> Option<Self> {
        // Asked before opening: to open a pipe would wait for its writer.
        let mut first = [0; 6];
        path.metadata().ok()?.is_file().then_some(())?;
        let read = File::open(path).ok()?.take(6).read(&mut first).ok()?;
        match &first[..read] {
            [b'P', b'A', b'R', b'1' | b'E', ..] => Some(Self::Parquet),
            b"ARROW1" => Some(Self::Ipc),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "CSV",
            Self::Parquet => "Parquet",
            Self::Ipc => "Arrow IPC",
        })
    }
}

impl Encoding {
    /// The word of descriptions and options: `utf-8`, `gb18030`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Gb18030 => "gb18030",
        }
    }

    /// The encoding of this word, in any case; its parts `gbk` and `gb2312` mean GB 18030 too.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Some(Self::Utf8),
            "gb18030" | "gbk" | "gb2312" => Some(Self::Gb18030),
            _ => None,
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Gb18030 => "GB 18030",
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_win_over_the_extension() {
        let folder = tempfile::tempdir().unwrap();
        let of = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            Format::of_path(&path)
        };
        assert_eq!(of("a.csv", b"PAR1...."), Some(Format::Parquet));
        assert_eq!(of("b", b"PARE"), Some(Format::Parquet));
        assert_eq!(of("c.txt", b"ARROW1\0\0"), Some(Format::Ipc));
        assert_eq!(of("d.PARQUET", b"a,b\n"), Some(Format::Parquet));
        assert_eq!(of("e.feather", b""), Some(Format::Ipc));
        assert_eq!(of("f.TSV", b"PAR"), Some(Format::Csv));
        assert_eq!(of("g", b"a,b\n"), None);
        assert_eq!(Format::of_path(folder.path()), None);
        assert_eq!(Format::of_extension(Path::new("out/x.arrow")), Some(Format::Ipc));
    }

    #[test]
    fn words_are_read_back() {
        for format in [Format::Csv, Format::Parquet, Format::Ipc] {
            assert_eq!(Format::parse(format.as_str()), Some(format));
        }
        for encoding in [Encoding::Utf8, Encoding::Gb18030] {
            assert_eq!(Encoding::parse(encoding.as_str()), Some(encoding));
        }
        assert_eq!(Encoding::parse("GBK"), Some(Encoding::Gb18030));
        assert_eq!((Format::parse("xlsx"), Encoding::parse("big5")), (None, None));
    }
}
