//! The options of ssh that this connection does not follow.

/// What not following an option means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ignored {
    /// Nothing: it is about terminals, forwarding, logging, or a method that is left out.
    Harmless,
    /// The system's files set it for everybody; only the user's own word is worth a warning.
    Algorithms,
    /// The host may be reached or judged in another way than by ssh, unless it has one of these
    /// values.
    Matters(&'static [&'static str]),
    /// It is no option of ssh's.
    Unknown,
}

/// Options about terminals, forwarding, logging and methods that are left out.
const HARMLESS: &[&str] = &[
    "addkeystoagent",
    "batchmode",
    "canonicaldomains",
    "canonicalizefallbacklocal",
    "canonicalizemaxdots",
    "canonicalizepermittedcnames",
    "channeltimeout",
    "clearallforwardings",
    "compression",
    "compressionlevel",
    "controlmaster",
    "controlpath",
    "controlpersist",
    "dynamicforward",
    "enableescapecommandline",
    "enablesshkeysign",
    "escapechar",
    "exitonforwardfailure",
    "fingerprinthash",
    "forkafterauthentication",
    "forwardx11",
    "forwardx11timeout",
    "forwardx11trusted",
    "gatewayports",
    "gssapiauthentication",
    "gssapiclientidentity",
    "gssapidelegatecredentials",
    "gssapikeyexchange",
    "gssapikexalgorithms",
    "gssapirenewalforcesrekey",
    "gssapiserveridentity",
    "gssapitrustdns",
    "hostbasedacceptedalgorithms",
    "hostbasedauthentication",
    "hostbasedkeytypes",
    "ipqos",
    "kbdinteractivedevices",
    "localcommand",
    "localforward",
    "loglevel",
    "logverbose",
    "numberofpasswordprompts",
    "obscurekeystroketiming",
    "permitlocalcommand",
    "permitremoteopen",
    "protocol",
    "rekeylimit",
    "remoteforward",
    "requesttty",
    "rhostsrsaauthentication",
    "rsaauthentication",
    "sendenv",
    "sessiontype",
    "setenv",
    "stdinnull",
    "streamlocalbindmask",
    "streamlocalbindunlink",
    "syslogfacility",
    "tag",
    "tcpkeepalive",
    "tunnel",
    "tunneldevice",
    "updatehostkeys",
    "usekeychain",
    "useprivilegedport",
    "useroaming",
    "versionaddendum",
    "visualhostkey",
    "warnweakcrypto",
    "xauthlocation",
];

/// Options that narrow down what is cryptographically fine.
const ALGORITHMS: &[&str] = &[
    "casignaturealgorithms",
    "cipher",
    "ciphers",
    "hostkeyalgorithms",
    "kexalgorithms",
    "macs",
    "pubkeyacceptedalgorithms",
    "pubkeyacceptedkeytypes",
    "requiredrsasize",
];

/// Options about the way to a host, and whether to trust it.
const MATTERS: &[&str] = &[
    "bindinterface",
    "canonicalizehostname",
    "knownhostscommand",
    "nohostauthenticationforlocalhost",
    "pkcs11provider",
    "proxyusefdpass",
    "refuseconnection",
    "remotecommand",
    "revokedhostkeys",
    "smartcarddevice",
    "verifyhostkeydns",
];

/// What not following `keyword` means.
pub(super) fn ignored(keyword: &str) -> Ignored {
    match keyword {
        "securitykeyprovider" => Ignored::Matters(&["internal", "none"]),
        _ if HARMLESS.contains(&keyword) => Ignored::Harmless,
        _ if ALGORITHMS.contains(&keyword) => Ignored::Algorithms,
        _ if MATTERS.contains(&keyword) => Ignored::Matters(&["no", "false", "none"]),
        _ => Ignored::Unknown,
    }
}
