//! Where the ledger's checkpoints are copied to.

use std::path::PathBuf;

use clap::Args;
use control::{AnchorPlace, BucketSettings, ControlSettings};

use crate::error::{Failure, Result};

const BUCKET: &str = "s3://";

#[derive(Debug, Args)]
pub(super) struct AnchorArgs {
    /// A folder on another disk, or `s3://bucket/prefix`, to which the ledger's checkpoints are copied and which the
    /// ledger may not contradict. Can be given several times; each gets a copy of its own.
    #[arg(long, global = true, env = "CAIRN_ANCHOR", value_name = "PLACE", value_delimiter = ',')]
    anchor: Vec<String>,
    /// The service of anchors in buckets, such as `https://s3.eu-central-1.amazonaws.com`.
    #[arg(long, global = true, env = "CAIRN_S3_ENDPOINT", value_name = "ADDRESS")]
    s3_endpoint: Option<String>,
    /// Its region.
    #[arg(long, global = true, env = "CAIRN_S3_REGION", default_value = "us-east-1", value_name = "NAME")]
    s3_region: String,
    /// The id of the access key there.
    #[arg(long, global = true, env = "CAIRN_S3_ACCESS_KEY", value_name = "ID")]
    s3_access_key: Option<String>,
    /// The file with the secret of the access key.
    #[arg(long, global = true, env = "CAIRN_S3_SECRET_FILE", value_name = "FILE")]
    s3_secret_file: Option<PathBuf>,
}

impl AnchorArgs {
    /// The settings with these anchors.
    ///
    /// # Errors
    /// When a bucket is named without its service or key.
    pub(super) fn put_into(&self, settings: ControlSettings) -> Result<ControlSettings> {
        let further_anchors = self.anchor.iter().map(|place| self.place(place)).collect::<Result<_>>()?;
        Ok(ControlSettings { further_anchors, ..settings })
    }

    fn place(&self, place: &str) -> Result<AnchorPlace> {
        let Some(name) = place.strip_prefix(BUCKET) else { return Ok(AnchorPlace::Folder(place.into())) };
        let (bucket, prefix) = name.split_once('/').unwrap_or((name, ""));
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'/'))
        };
        if !is_name(bucket) || !(prefix.is_empty() || is_name(prefix)) {
            return Err(Failure::Usage(format!(
                "`{place}` names no bucket: write `s3://bucket/prefix`, of letters, digits, `-`, `.` and `_`"
            )));
        }
        let missing = |what: &str, setting: &str| {
            Failure::Usage(format!("the anchor `{place}` needs {what}: give `--{setting}`"))
        };
        let endpoint = self.s3_endpoint.clone().ok_or_else(|| missing("its service", "s3-endpoint"))?;
        let is_safe = ["https://", "http://127.0.0.1:", "http://localhost:"]
            .iter()
            .any(|start| endpoint.starts_with(start));
        if !is_safe {
            return Err(Failure::Usage(format!("`{endpoint}` is no address that begins with https://")));
        }
        Ok(AnchorPlace::Bucket(BucketSettings {
            endpoint,
            region: self.s3_region.clone(),
            bucket: bucket.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            access_key: self
                .s3_access_key
                .clone()
                .ok_or_else(|| missing("an access key", "s3-access-key"))?,
            secret_file: self
                .s3_secret_file
                .clone()
                .ok_or_else(|| missing("the key's secret", "s3-secret-file"))?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(endpoint: Option<&str>) -> AnchorArgs {
        AnchorArgs {
            anchor: Vec::new(),
            s3_endpoint: endpoint.map(str::to_owned),
            s3_region: "eu-central-1".into(),
            s3_access_key: Some("id".into()),
            s3_secret_file: Some("secret".into()),
        }
    }

    #[test]
    fn a_place_is_a_folder_or_a_bucket_with_its_service() {
        let service = args(Some("https://s3.example"));
        assert!(matches!(service.place("/mnt/elsewhere"), Ok(AnchorPlace::Folder(_))));
        let bucket = service.place("s3://trials/a/b/");
        let Ok(AnchorPlace::Bucket(bucket)) = bucket else { panic!("{bucket:?}") };
        assert_eq!((bucket.bucket.as_str(), bucket.prefix.as_str()), ("trials", "a/b"));
        for (endpoint, place, remedy) in [
            (None, "s3://trials", "--s3-endpoint"),
            (Some("https://s3.example"), "s3://", "s3://bucket/prefix"),
            (Some("https://s3.example"), "s3://a b", "s3://bucket/prefix"),
            (Some("http://s3.example"), "s3://trials", "https://"),
        ] {
            let refused = args(endpoint).place(place).map(drop).expect_err("it is refused").to_string();
            assert!(refused.contains(remedy), "{place}: {refused}");
        }
    }
}
