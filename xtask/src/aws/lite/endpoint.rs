//! Where an API is, by region. Sources: AWS General Reference (EC2, IAM and CloudWatch Logs endpoints) and the
//! partition table that every SDK carries.

use super::api::Api;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::aws) struct Endpoint {
    pub(in crate::aws) url: String,
    /// The region that requests are signed for.
    pub(super) region: String,
}

/// A partition: regions that share a DNS suffix and IAM.
struct Partition {
    prefix: &'static str,
    suffix: &'static str,
    /// Ends host names that answer over IPv6 as well.
    dual_stack: &'static str,
    /// The region that calls to IAM are signed for.
    iam_region: &'static str,
}

/// The first whose prefix fits; the last fits all.
const PARTITIONS: [Partition; 7] = [
    Partition {
        prefix: "cn-",
        suffix: "amazonaws.com.cn",
        dual_stack: "api.amazonwebservices.com.cn",
        iam_region: "cn-north-1",
    },
    Partition {
        prefix: "us-gov-",
        suffix: "amazonaws.com",
        dual_stack: "api.aws",
        iam_region: "us-gov-west-1",
    },
    Partition {
        prefix: "us-isob-",
        suffix: "sc2s.sgov.gov",
        dual_stack: "api.aws.scloud",
        iam_region: "us-isob-east-1",
    },
    Partition {
        prefix: "us-isof-",
        suffix: "csp.hci.ic.gov",
        dual_stack: "api.aws.hci.ic.gov",
        iam_region: "us-isof-south-1",
    },
    Partition {
        prefix: "us-iso-",
        suffix: "c2s.ic.gov",
        dual_stack: "api.aws.ic.gov",
        iam_region: "us-iso-east-1",
    },
    Partition {
        prefix: "eusc-",
        suffix: "amazonaws.eu",
        dual_stack: "api.amazonwebservices.eu",
        iam_region: "eusc-de-east-1",
    },
    Partition { prefix: "", suffix: "amazonaws.com", dual_stack: "api.aws", iam_region: "us-east-1" },
];

/// The address of `api` for callers in `region`.
pub(super) fn endpoint(api: Api, region: &str, fips: bool, dual_stack: bool) -> Endpoint {
    let [.., commercial] = &PARTITIONS;
    let partition =
        PARTITIONS.iter().find(|partition| region.starts_with(partition.prefix)).unwrap_or(commercial);
    let suffix = if dual_stack { partition.dual_stack } else { partition.suffix };
    let name = format!("{}{}", api.prefix(), if fips { "-fips" } else { "" });
    if api == Api::Iam {
        let host = match partition.prefix {
            // Global in its partition, and only the commercial one leaves the region out of the name.
            "" if dual_stack => format!("{name}.global.{suffix}"),
            "" => format!("{name}.{suffix}"),
            "us-gov-" => format!("{name}.us-gov.{suffix}"),
            _ => format!("{name}.{}.{suffix}", partition.iam_region),
        };
        return Endpoint { url: format!("https://{host}"), region: partition.iam_region.to_owned() };
    }
    Endpoint { url: format!("https://{name}.{region}.{suffix}"), region: region.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_own_names() {
        let cases = [
            (Api::Ec2, "ap-southeast-1", "https://ec2.ap-southeast-1.amazonaws.com", "ap-southeast-1"),
            (Api::Logs, "us-gov-east-1", "https://logs.us-gov-east-1.amazonaws.com", "us-gov-east-1"),
            (Api::Ec2, "cn-northwest-1", "https://ec2.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"),
            (Api::Iam, "ap-southeast-1", "https://iam.amazonaws.com", "us-east-1"),
            (Api::Iam, "us-gov-east-1", "https://iam.us-gov.amazonaws.com", "us-gov-west-1"),
            (Api::Iam, "cn-northwest-1", "https://iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            (Api::Logs, "eusc-de-east-1", "https://logs.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        ];
        for (api, region, url, signed) in cases {
            let expected = Endpoint { url: url.to_owned(), region: signed.to_owned() };
            assert_eq!(endpoint(api, region, false, false), expected);
        }
        assert_eq!(
            endpoint(Api::Ec2, "us-east-1", true, false).url,
            "https://ec2-fips.us-east-1.amazonaws.com"
        );
        assert_eq!(endpoint(Api::Logs, "us-east-1", false, true).url, "https://logs.us-east-1.api.aws");
    }
}
