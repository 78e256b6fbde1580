//! Who asks whom: the `AWS_` variables.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use crate::PlaceError;

/// How often a request is tried, unless `AWS_MAX_ATTEMPTS` says.
const ATTEMPTS: usize = 8;
const MOST_ATTEMPTS: usize = 20;
/// No attempt is begun later than this after the first.
const RETRY_TIME: Duration = Duration::from_secs(180);
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(15);
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Longest time without a byte. There is none for a whole request: a large object takes what it takes.
const SILENT_TIME: Duration = Duration::from_secs(60);

/// The variables that are set to something, names in lower case.
#[derive(Default)]
pub(super) struct Variables(Vec<(String, String)>);

impl Variables {
    /// Those of the environment. One that is no text is none of ours.
    pub(super) fn of_environment() -> Self {
        Self::new(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    pub(super) fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let lower = variables.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        Self(lower.filter(|(name, value)| name.starts_with("aws_") && !value.is_empty()).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn is_true(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| ["1", "true", "yes", "on"].contains(&&*value.to_lowercase()))
    }

    /// Whom to ask, without what may be a password in it.
    pub(super) fn endpoint(&self) -> String {
        let names = ["aws_endpoint_url_s3", "aws_endpoint_url", "aws_endpoint"];
        let Some(endpoint) = names.iter().find_map(|name| self.get(name)) else {
            let region = self.get("aws_region").or_else(|| self.get("aws_default_region"));
            return format!("https://s3.{}.amazonaws.com", region.unwrap_or("us-east-1"));
        };
        match endpoint.split_once("://") {
            Some((scheme, rest)) => {
                format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
            }
            None => endpoint.to_owned(),
        }
    }

    /// Whether the variables say who is asking, or that nobody is.
    fn say_who(&self) -> bool {
        let all = |names: &[&str]| names.iter().all(|name| self.get(name).is_some());
        all(&["aws_access_key_id"])
            || all(&["aws_secret_access_key"])
            || all(&["aws_web_identity_token_file", "aws_role_arn"])
            || all(&["aws_container_credentials_relative_uri"])
            || all(&[
                "aws_container_credentials_full_uri",
                "aws_container_authorization_token_file",
            ])
            || all(&["aws_metadata_endpoint"])
            || self.is_true("aws_skip_signature")
    }

    /// Whether anybody can say who is asking: the variables, or the EC2 instance that this may be, whose
    /// service answers within a second if there is one.
    pub(super) fn somebody_says_who(&self) -> bool {
        let service = SocketAddr::from((Ipv4Addr::new(169, 254, 169, 254), 80));
        self.say_who()
            || (!self.is_true("aws_ec2_metadata_disabled")
                && TcpStream::connect_timeout(&service, Duration::from_secs(1)).is_ok())
    }

    fn attempts(&self) -> Result<usize, PlaceError> {
        let Some(text) = self.get("aws_max_attempts") else { return Ok(ATTEMPTS) };
        let number = text.parse().ok().filter(|number| (1..=MOST_ATTEMPTS).contains(number));
        number.ok_or_else(|| PlaceError::Variables {
            reason: format!(
                "AWS_MAX_ATTEMPTS is {text:?}; give a number from 1 to {MOST_ATTEMPTS}"
            ),
        })
    }

    /// A client for a bucket.
    pub(super) fn client(&self, bucket: &str) -> Result<AmazonS3, PlaceError> {
        if self.endpoint().starts_with("http://") && !self.is_true("aws_allow_http") {
            let reason = format!(
                "{} has no TLS, so what is sent can be read by others; use https://, or set \
                 AWS_ALLOW_HTTP=true if the network is trusted",
                self.endpoint()
            );
            return Err(PlaceError::Variables { reason });
        }
        let options = ClientOptions::new()
            .with_timeout_disabled()
            .with_connect_timeout(CONNECT_TIME)
            .with_read_timeout(SILENT_TIME);
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: FIRST_WAIT,
                max_backoff: LONGEST_WAIT,
                base: 2.0,
            },
            max_retries: self.attempts()? - 1,
            retry_timeout: RETRY_TIME,
        };
        let mut builder = AmazonS3Builder::new().with_client_options(options).with_retry(retry);
        for (name, value) in &self.0 {
            // Variables of other programs are none of ours.
            if let Ok(key) = name.parse() {
                builder = builder.with_config(key, value);
            }
        }
        // Deletes one object with the request that every server knows.
        let builder = builder.with_bucket_name(bucket).with_disable_bulk_delete(true);
        builder.build().map_err(|error| PlaceError::Variables { reason: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(list: &[(&str, &str)]) -> Variables {
        Variables::new(list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_endpoint_is_told_without_its_password() {
        let of = |url| variables(&[("AWS_ENDPOINT_URL", url)]).endpoint();
        assert_eq!(of("https://me:secret@minio:9000"), "https://minio:9000");
        assert_eq!(of(""), "https://s3.us-east-1.amazonaws.com");
        let region = variables(&[("AWS_REGION", "eu-central-1")]).endpoint();
        assert_eq!(region, "https://s3.eu-central-1.amazonaws.com");
    }

    #[test]
    fn who_asks_must_be_said_whole() {
        assert!(!variables(&[("AWS_EC2_METADATA_DISABLED", "true")]).somebody_says_who());
        assert!(variables(&[("AWS_SKIP_SIGNATURE", "true")]).somebody_says_who());
        assert!(
            !variables(&[("AWS_ROLE_ARN", "r"), ("AWS_EC2_METADATA_DISABLED", "1")])
                .somebody_says_who()
        );
        let half = variables(&[("AWS_ACCESS_KEY_ID", "AKIAHALF")]);
        let error = half.client("scans").unwrap_err().to_string();
        assert!(error.contains("SecretAccessKey") && !error.contains("AKIAHALF"), "{error}");
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let plain =
            variables(&[("AWS_ENDPOINT_URL", "http://minio"), ("AWS_SKIP_SIGNATURE", "true")]);
        let error = plain.client("scans").unwrap_err().to_string();
        assert!(error.contains("http://minio has no TLS"), "{error}");
        for attempts in ["0", "21", "many"] {
            let error = variables(&[("AWS_MAX_ATTEMPTS", attempts)]).attempts().unwrap_err();
            assert!(error.to_string().contains("from 1 to 20"), "{error}");
        }
    }
}
