use super::*;

const ADDRESSES: &[Case] = &[
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('')), ('192.168.1.5/24' | ansible.utils.ipaddr('')), ('192.168.1.0/24' | ansible.utils.ipaddr('')), ('10.0.0.1/32' | ansible.utils.ipaddr('')), ('10.0.0.4/31' | ansible.utils.ipaddr('')), ('10.0.0.0/30' | ansible.utils.ipaddr('')), ('2001:db8::1' | ansible.utils.ipaddr('')), ('2001:db8::1/64' | ansible.utils.ipaddr('')), ('2001:db8::/32' | ansible.utils.ipaddr('')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('')), ('8.8.8.8' | ansible.utils.ipaddr('')), ('224.0.0.1' | ansible.utils.ipaddr('')), ('nope' | ansible.utils.ipaddr('')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('')), ('::1' | ansible.utils.ipaddr(''))]",
        r#"["192.168.1.5", "192.168.1.5/24", "192.168.1.0/24", "10.0.0.1/32", "10.0.0.4/31", "10.0.0.0/30", "2001:db8::1", "2001:db8::1/64", "2001:db8::/32", "::ffff:10.1.1.1", "8.8.8.8", "224.0.0.1", false, "192.168.1.0/24", "::1"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('address')), ('192.168.1.5/24' | ansible.utils.ipaddr('address')), ('192.168.1.0/24' | ansible.utils.ipaddr('address')), ('10.0.0.1/32' | ansible.utils.ipaddr('address')), ('10.0.0.4/31' | ansible.utils.ipaddr('address')), ('10.0.0.0/30' | ansible.utils.ipaddr('address')), ('2001:db8::1' | ansible.utils.ipaddr('address')), ('2001:db8::1/64' | ansible.utils.ipaddr('address')), ('2001:db8::/32' | ansible.utils.ipaddr('address')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('address')), ('8.8.8.8' | ansible.utils.ipaddr('address')), ('224.0.0.1' | ansible.utils.ipaddr('address')), ('nope' | ansible.utils.ipaddr('address')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('address')), ('::1' | ansible.utils.ipaddr('address'))]",
        r#"["192.168.1.5", "192.168.1.5", null, "10.0.0.1", "10.0.0.4", null, "2001:db8::1", "2001:db8::1", "2001:db8::", "::ffff:10.1.1.1", "8.8.8.8", "224.0.0.1", false, null, "::1"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('net')), ('192.168.1.5/24' | ansible.utils.ipaddr('net')), ('192.168.1.0/24' | ansible.utils.ipaddr('net')), ('10.0.0.1/32' | ansible.utils.ipaddr('net')), ('10.0.0.4/31' | ansible.utils.ipaddr('net')), ('10.0.0.0/30' | ansible.utils.ipaddr('net')), ('2001:db8::1' | ansible.utils.ipaddr('net')), ('2001:db8::1/64' | ansible.utils.ipaddr('net')), ('2001:db8::/32' | ansible.utils.ipaddr('net')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('net')), ('8.8.8.8' | ansible.utils.ipaddr('net')), ('224.0.0.1' | ansible.utils.ipaddr('net')), ('nope' | ansible.utils.ipaddr('net')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('net')), ('::1' | ansible.utils.ipaddr('net'))]",
        r#"[null, null, "192.168.1.0/24", null, "10.0.0.4/31", "10.0.0.0/30", null, null, "2001:db8::/32", null, null, null, false, "192.168.1.0/24", null]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('network')), ('192.168.1.5/24' | ansible.utils.ipaddr('network')), ('192.168.1.0/24' | ansible.utils.ipaddr('network')), ('10.0.0.1/32' | ansible.utils.ipaddr('network')), ('10.0.0.4/31' | ansible.utils.ipaddr('network')), ('10.0.0.0/30' | ansible.utils.ipaddr('network')), ('2001:db8::1' | ansible.utils.ipaddr('network')), ('2001:db8::1/64' | ansible.utils.ipaddr('network')), ('2001:db8::/32' | ansible.utils.ipaddr('network')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('network')), ('8.8.8.8' | ansible.utils.ipaddr('network')), ('224.0.0.1' | ansible.utils.ipaddr('network')), ('nope' | ansible.utils.ipaddr('network')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('network')), ('::1' | ansible.utils.ipaddr('network'))]",
        r#"["192.168.1.5", "192.168.1.0", "192.168.1.0", "10.0.0.1", "10.0.0.4", "10.0.0.0", "2001:db8::1", "2001:db8::", "2001:db8::", "::ffff:10.1.1.1", "8.8.8.8", "224.0.0.1", false, "192.168.1.0", "::1"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('netmask')), ('192.168.1.5/24' | ansible.utils.ipaddr('netmask')), ('192.168.1.0/24' | ansible.utils.ipaddr('netmask')), ('10.0.0.1/32' | ansible.utils.ipaddr('netmask')), ('10.0.0.4/31' | ansible.utils.ipaddr('netmask')), ('10.0.0.0/30' | ansible.utils.ipaddr('netmask')), ('2001:db8::1' | ansible.utils.ipaddr('netmask')), ('2001:db8::1/64' | ansible.utils.ipaddr('netmask')), ('2001:db8::/32' | ansible.utils.ipaddr('netmask')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('netmask')), ('8.8.8.8' | ansible.utils.ipaddr('netmask')), ('224.0.0.1' | ansible.utils.ipaddr('netmask')), ('nope' | ansible.utils.ipaddr('netmask')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('netmask')), ('::1' | ansible.utils.ipaddr('netmask'))]",
        r#"["255.255.255.255", "255.255.255.0", "255.255.255.0", "255.255.255.255", "255.255.255.254", "255.255.255.252", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff::", "ffff:ffff::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "255.255.255.255", "255.255.255.255", false, "255.255.255.0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('prefix')), ('192.168.1.5/24' | ansible.utils.ipaddr('prefix')), ('192.168.1.0/24' | ansible.utils.ipaddr('prefix')), ('10.0.0.1/32' | ansible.utils.ipaddr('prefix')), ('10.0.0.4/31' | ansible.utils.ipaddr('prefix')), ('10.0.0.0/30' | ansible.utils.ipaddr('prefix')), ('2001:db8::1' | ansible.utils.ipaddr('prefix')), ('2001:db8::1/64' | ansible.utils.ipaddr('prefix')), ('2001:db8::/32' | ansible.utils.ipaddr('prefix')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('prefix')), ('8.8.8.8' | ansible.utils.ipaddr('prefix')), ('224.0.0.1' | ansible.utils.ipaddr('prefix')), ('nope' | ansible.utils.ipaddr('prefix')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('prefix')), ('::1' | ansible.utils.ipaddr('prefix'))]",
        "[32, 24, 24, 32, 31, 30, 128, 64, 32, 128, 32, 32, false, 24, 128]",
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('subnet')), ('192.168.1.5/24' | ansible.utils.ipaddr('subnet')), ('192.168.1.0/24' | ansible.utils.ipaddr('subnet')), ('10.0.0.1/32' | ansible.utils.ipaddr('subnet')), ('10.0.0.4/31' | ansible.utils.ipaddr('subnet')), ('10.0.0.0/30' | ansible.utils.ipaddr('subnet')), ('2001:db8::1' | ansible.utils.ipaddr('subnet')), ('2001:db8::1/64' | ansible.utils.ipaddr('subnet')), ('2001:db8::/32' | ansible.utils.ipaddr('subnet')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('subnet')), ('8.8.8.8' | ansible.utils.ipaddr('subnet')), ('224.0.0.1' | ansible.utils.ipaddr('subnet')), ('nope' | ansible.utils.ipaddr('subnet')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('subnet')), ('::1' | ansible.utils.ipaddr('subnet'))]",
        r#"["192.168.1.5/32", "192.168.1.0/24", "192.168.1.0/24", "10.0.0.1/32", "10.0.0.4/31", "10.0.0.0/30", "2001:db8::1/128", "2001:db8::/64", "2001:db8::/32", "::ffff:10.1.1.1/128", "8.8.8.8/32", "224.0.0.1/32", false, "192.168.1.0/24", "::1/128"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('broadcast')), ('192.168.1.5/24' | ansible.utils.ipaddr('broadcast')), ('192.168.1.0/24' | ansible.utils.ipaddr('broadcast')), ('10.0.0.1/32' | ansible.utils.ipaddr('broadcast')), ('10.0.0.4/31' | ansible.utils.ipaddr('broadcast')), ('10.0.0.0/30' | ansible.utils.ipaddr('broadcast')), ('2001:db8::1' | ansible.utils.ipaddr('broadcast')), ('2001:db8::1/64' | ansible.utils.ipaddr('broadcast')), ('2001:db8::/32' | ansible.utils.ipaddr('broadcast')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('broadcast')), ('8.8.8.8' | ansible.utils.ipaddr('broadcast')), ('224.0.0.1' | ansible.utils.ipaddr('broadcast')), ('nope' | ansible.utils.ipaddr('broadcast')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('broadcast')), ('::1' | ansible.utils.ipaddr('broadcast'))]",
        r#"[null, "192.168.1.255", "192.168.1.255", null, null, "10.0.0.3", null, "2001:db8::ffff:ffff:ffff:ffff", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", null, null, null, false, "192.168.1.255", null]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('host')), ('192.168.1.5/24' | ansible.utils.ipaddr('host')), ('192.168.1.0/24' | ansible.utils.ipaddr('host')), ('10.0.0.1/32' | ansible.utils.ipaddr('host')), ('10.0.0.4/31' | ansible.utils.ipaddr('host')), ('10.0.0.0/30' | ansible.utils.ipaddr('host')), ('2001:db8::1' | ansible.utils.ipaddr('host')), ('2001:db8::1/64' | ansible.utils.ipaddr('host')), ('2001:db8::/32' | ansible.utils.ipaddr('host')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('host')), ('8.8.8.8' | ansible.utils.ipaddr('host')), ('224.0.0.1' | ansible.utils.ipaddr('host')), ('nope' | ansible.utils.ipaddr('host')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('host')), ('::1' | ansible.utils.ipaddr('host'))]",
        r#"["192.168.1.5/32", "192.168.1.5/24", null, "10.0.0.1/32", "10.0.0.4/31", null, "2001:db8::1/128", "2001:db8::1/64", null, "::ffff:10.1.1.1/128", "8.8.8.8/32", "224.0.0.1/32", false, null, "::1/128"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('size')), ('192.168.1.5/24' | ansible.utils.ipaddr('size')), ('192.168.1.0/24' | ansible.utils.ipaddr('size')), ('10.0.0.1/32' | ansible.utils.ipaddr('size')), ('10.0.0.4/31' | ansible.utils.ipaddr('size')), ('10.0.0.0/30' | ansible.utils.ipaddr('size')), ('2001:db8::1' | ansible.utils.ipaddr('size')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('size')), ('8.8.8.8' | ansible.utils.ipaddr('size')), ('224.0.0.1' | ansible.utils.ipaddr('size')), ('nope' | ansible.utils.ipaddr('size')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('size')), ('::1' | ansible.utils.ipaddr('size'))]",
        "[1, 256, 256, 1, 2, 4, 1, 1, 1, 1, false, 256, 1]",
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('public')), ('192.168.1.5/24' | ansible.utils.ipaddr('public')), ('192.168.1.0/24' | ansible.utils.ipaddr('public')), ('10.0.0.1/32' | ansible.utils.ipaddr('public')), ('10.0.0.4/31' | ansible.utils.ipaddr('public')), ('10.0.0.0/30' | ansible.utils.ipaddr('public')), ('2001:db8::1' | ansible.utils.ipaddr('public')), ('2001:db8::1/64' | ansible.utils.ipaddr('public')), ('2001:db8::/32' | ansible.utils.ipaddr('public')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('public')), ('8.8.8.8' | ansible.utils.ipaddr('public')), ('224.0.0.1' | ansible.utils.ipaddr('public')), ('nope' | ansible.utils.ipaddr('public')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('public')), ('::1' | ansible.utils.ipaddr('public'))]",
        r#"[null, null, null, null, null, null, null, null, null, null, "8.8.8.8", null, false, null, null]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('private')), ('192.168.1.5/24' | ansible.utils.ipaddr('private')), ('192.168.1.0/24' | ansible.utils.ipaddr('private')), ('10.0.0.1/32' | ansible.utils.ipaddr('private')), ('10.0.0.4/31' | ansible.utils.ipaddr('private')), ('10.0.0.0/30' | ansible.utils.ipaddr('private')), ('2001:db8::1' | ansible.utils.ipaddr('private')), ('2001:db8::1/64' | ansible.utils.ipaddr('private')), ('2001:db8::/32' | ansible.utils.ipaddr('private')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('private')), ('8.8.8.8' | ansible.utils.ipaddr('private')), ('224.0.0.1' | ansible.utils.ipaddr('private')), ('nope' | ansible.utils.ipaddr('private')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('private')), ('::1' | ansible.utils.ipaddr('private'))]",
        r#"["192.168.1.5", "192.168.1.5/24", "192.168.1.0/24", "10.0.0.1/32", "10.0.0.4/31", "10.0.0.0/30", "2001:db8::1", "2001:db8::1/64", "2001:db8::/32", "::ffff:10.1.1.1", null, null, false, "192.168.1.0/255.255.255.0", "::1"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('unicast')), ('192.168.1.5/24' | ansible.utils.ipaddr('unicast')), ('192.168.1.0/24' | ansible.utils.ipaddr('unicast')), ('10.0.0.1/32' | ansible.utils.ipaddr('unicast')), ('10.0.0.4/31' | ansible.utils.ipaddr('unicast')), ('10.0.0.0/30' | ansible.utils.ipaddr('unicast')), ('2001:db8::1' | ansible.utils.ipaddr('unicast')), ('2001:db8::1/64' | ansible.utils.ipaddr('unicast')), ('2001:db8::/32' | ansible.utils.ipaddr('unicast')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('unicast')), ('8.8.8.8' | ansible.utils.ipaddr('unicast')), ('224.0.0.1' | ansible.utils.ipaddr('unicast')), ('nope' | ansible.utils.ipaddr('unicast')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('unicast')), ('::1' | ansible.utils.ipaddr('unicast'))]",
        r#"["192.168.1.5", "192.168.1.5/24", "192.168.1.0/24", "10.0.0.1/32", "10.0.0.4/31", "10.0.0.0/30", "2001:db8::1", "2001:db8::1/64", "2001:db8::/32", "::ffff:10.1.1.1", "8.8.8.8", null, false, "192.168.1.0/255.255.255.0", "::1"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('multicast')), ('192.168.1.5/24' | ansible.utils.ipaddr('multicast')), ('192.168.1.0/24' | ansible.utils.ipaddr('multicast')), ('10.0.0.1/32' | ansible.utils.ipaddr('multicast')), ('10.0.0.4/31' | ansible.utils.ipaddr('multicast')), ('10.0.0.0/30' | ansible.utils.ipaddr('multicast')), ('2001:db8::1' | ansible.utils.ipaddr('multicast')), ('2001:db8::1/64' | ansible.utils.ipaddr('multicast')), ('2001:db8::/32' | ansible.utils.ipaddr('multicast')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('multicast')), ('8.8.8.8' | ansible.utils.ipaddr('multicast')), ('224.0.0.1' | ansible.utils.ipaddr('multicast')), ('nope' | ansible.utils.ipaddr('multicast')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('multicast')), ('::1' | ansible.utils.ipaddr('multicast'))]",
        r#"[null, null, null, null, null, null, null, null, null, null, null, "224.0.0.1", false, null, null]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('loopback')), ('192.168.1.5/24' | ansible.utils.ipaddr('loopback')), ('192.168.1.0/24' | ansible.utils.ipaddr('loopback')), ('10.0.0.1/32' | ansible.utils.ipaddr('loopback')), ('10.0.0.4/31' | ansible.utils.ipaddr('loopback')), ('10.0.0.0/30' | ansible.utils.ipaddr('loopback')), ('2001:db8::1' | ansible.utils.ipaddr('loopback')), ('2001:db8::1/64' | ansible.utils.ipaddr('loopback')), ('2001:db8::/32' | ansible.utils.ipaddr('loopback')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('loopback')), ('8.8.8.8' | ansible.utils.ipaddr('loopback')), ('224.0.0.1' | ansible.utils.ipaddr('loopback')), ('nope' | ansible.utils.ipaddr('loopback')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('loopback')), ('::1' | ansible.utils.ipaddr('loopback'))]",
        r#"[null, null, null, null, null, null, null, null, null, null, null, null, false, null, "::1"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('link-local')), ('192.168.1.5/24' | ansible.utils.ipaddr('link-local')), ('192.168.1.0/24' | ansible.utils.ipaddr('link-local')), ('10.0.0.1/32' | ansible.utils.ipaddr('link-local')), ('10.0.0.4/31' | ansible.utils.ipaddr('link-local')), ('10.0.0.0/30' | ansible.utils.ipaddr('link-local')), ('2001:db8::1' | ansible.utils.ipaddr('link-local')), ('2001:db8::1/64' | ansible.utils.ipaddr('link-local')), ('2001:db8::/32' | ansible.utils.ipaddr('link-local')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('link-local')), ('8.8.8.8' | ansible.utils.ipaddr('link-local')), ('224.0.0.1' | ansible.utils.ipaddr('link-local')), ('nope' | ansible.utils.ipaddr('link-local')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('link-local')), ('::1' | ansible.utils.ipaddr('link-local'))]",
        "[null, null, null, null, null, null, null, null, null, null, null, null, false, null, null]",
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('hostmask')), ('192.168.1.5/24' | ansible.utils.ipaddr('hostmask')), ('192.168.1.0/24' | ansible.utils.ipaddr('hostmask')), ('10.0.0.1/32' | ansible.utils.ipaddr('hostmask')), ('10.0.0.4/31' | ansible.utils.ipaddr('hostmask')), ('10.0.0.0/30' | ansible.utils.ipaddr('hostmask')), ('2001:db8::1' | ansible.utils.ipaddr('hostmask')), ('2001:db8::1/64' | ansible.utils.ipaddr('hostmask')), ('2001:db8::/32' | ansible.utils.ipaddr('hostmask')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('hostmask')), ('8.8.8.8' | ansible.utils.ipaddr('hostmask')), ('224.0.0.1' | ansible.utils.ipaddr('hostmask')), ('nope' | ansible.utils.ipaddr('hostmask')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('hostmask')), ('::1' | ansible.utils.ipaddr('hostmask'))]",
        r#"["0.0.0.0", "0.0.0.255", "0.0.0.255", "0.0.0.0", "0.0.0.1", "0.0.0.3", "::", "::ffff:ffff:ffff:ffff", "::ffff:ffff:ffff:ffff:ffff:ffff", "::", "0.0.0.0", "0.0.0.0", false, "0.0.0.255", "::"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('wildcard')), ('192.168.1.5/24' | ansible.utils.ipaddr('wildcard')), ('192.168.1.0/24' | ansible.utils.ipaddr('wildcard')), ('10.0.0.1/32' | ansible.utils.ipaddr('wildcard')), ('10.0.0.4/31' | ansible.utils.ipaddr('wildcard')), ('10.0.0.0/30' | ansible.utils.ipaddr('wildcard')), ('2001:db8::1' | ansible.utils.ipaddr('wildcard')), ('2001:db8::1/64' | ansible.utils.ipaddr('wildcard')), ('2001:db8::/32' | ansible.utils.ipaddr('wildcard')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('wildcard')), ('8.8.8.8' | ansible.utils.ipaddr('wildcard')), ('224.0.0.1' | ansible.utils.ipaddr('wildcard')), ('nope' | ansible.utils.ipaddr('wildcard')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('wildcard')), ('::1' | ansible.utils.ipaddr('wildcard'))]",
        r#"["0.0.0.0", "0.0.0.255", "0.0.0.255", "0.0.0.0", "0.0.0.1", "0.0.0.3", "::", "::ffff:ffff:ffff:ffff", "::ffff:ffff:ffff:ffff:ffff:ffff", "::", "0.0.0.0", "0.0.0.0", false, "0.0.0.255", "::"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('bool')), ('192.168.1.5/24' | ansible.utils.ipaddr('bool')), ('192.168.1.0/24' | ansible.utils.ipaddr('bool')), ('10.0.0.1/32' | ansible.utils.ipaddr('bool')), ('10.0.0.4/31' | ansible.utils.ipaddr('bool')), ('10.0.0.0/30' | ansible.utils.ipaddr('bool')), ('2001:db8::1' | ansible.utils.ipaddr('bool')), ('2001:db8::1/64' | ansible.utils.ipaddr('bool')), ('2001:db8::/32' | ansible.utils.ipaddr('bool')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('bool')), ('8.8.8.8' | ansible.utils.ipaddr('bool')), ('224.0.0.1' | ansible.utils.ipaddr('bool')), ('nope' | ansible.utils.ipaddr('bool')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('bool')), ('::1' | ansible.utils.ipaddr('bool'))]",
        "[true, true, true, true, true, true, true, true, true, true, true, true, false, true, true]",
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('int')), ('192.168.1.5/24' | ansible.utils.ipaddr('int')), ('192.168.1.0/24' | ansible.utils.ipaddr('int')), ('10.0.0.1/32' | ansible.utils.ipaddr('int')), ('10.0.0.4/31' | ansible.utils.ipaddr('int')), ('10.0.0.0/30' | ansible.utils.ipaddr('int')), ('2001:db8::1/64' | ansible.utils.ipaddr('int')), ('2001:db8::/32' | ansible.utils.ipaddr('int')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('int')), ('8.8.8.8' | ansible.utils.ipaddr('int')), ('224.0.0.1' | ansible.utils.ipaddr('int')), ('nope' | ansible.utils.ipaddr('int')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('int')), ('::1' | ansible.utils.ipaddr('int'))]",
        r#"[3232235781, "3232235781/24", "3232235776/24", "167772161/32", "167772164/31", "167772160/30", "42540766411282592856903984951653826561/64", "42540766411282592856903984951653826560/32", 281470849581313, 134744072, 3758096385, false, "3232235776/24", 1]"#,
    ),
    (
        "[('192.168.1.5/24' | ansible.utils.ipaddr('first_usable')), ('192.168.1.0/24' | ansible.utils.ipaddr('first_usable')), ('10.0.0.1/32' | ansible.utils.ipaddr('first_usable')), ('10.0.0.4/31' | ansible.utils.ipaddr('first_usable')), ('10.0.0.0/30' | ansible.utils.ipaddr('first_usable')), ('2001:db8::1/64' | ansible.utils.ipaddr('first_usable')), ('2001:db8::/32' | ansible.utils.ipaddr('first_usable')), ('nope' | ansible.utils.ipaddr('first_usable')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('first_usable'))]",
        r#"["192.168.1.1", "192.168.1.1", null, "10.0.0.4", "10.0.0.1", "2001:db8::1", "2001:db8::1", false, "192.168.1.1"]"#,
    ),
    (
        "[('192.168.1.5/24' | ansible.utils.ipaddr('last_usable')), ('192.168.1.0/24' | ansible.utils.ipaddr('last_usable')), ('10.0.0.1/32' | ansible.utils.ipaddr('last_usable')), ('10.0.0.4/31' | ansible.utils.ipaddr('last_usable')), ('10.0.0.0/30' | ansible.utils.ipaddr('last_usable')), ('2001:db8::1/64' | ansible.utils.ipaddr('last_usable')), ('2001:db8::/32' | ansible.utils.ipaddr('last_usable')), ('nope' | ansible.utils.ipaddr('last_usable')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('last_usable'))]",
        r#"["192.168.1.254", "192.168.1.254", null, "10.0.0.5", "10.0.0.2", "2001:db8::ffff:ffff:ffff:fffe", "2001:db8:ffff:ffff:ffff:ffff:ffff:fffe", false, "192.168.1.254"]"#,
    ),
    (
        "[('192.168.1.5/24' | ansible.utils.ipaddr('next_usable')), ('192.168.1.0/24' | ansible.utils.ipaddr('next_usable')), ('10.0.0.1/32' | ansible.utils.ipaddr('next_usable')), ('10.0.0.4/31' | ansible.utils.ipaddr('next_usable')), ('10.0.0.0/30' | ansible.utils.ipaddr('next_usable')), ('2001:db8::1/64' | ansible.utils.ipaddr('next_usable')), ('2001:db8::/32' | ansible.utils.ipaddr('next_usable')), ('nope' | ansible.utils.ipaddr('next_usable')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('next_usable'))]",
        r#"["192.168.1.6", "192.168.1.1", null, "10.0.0.5", "10.0.0.1", "2001:db8::2", "2001:db8::1", false, "192.168.1.1"]"#,
    ),
    (
        "[('192.168.1.5/24' | ansible.utils.ipaddr('previous_usable')), ('192.168.1.0/24' | ansible.utils.ipaddr('previous_usable')), ('10.0.0.1/32' | ansible.utils.ipaddr('previous_usable')), ('10.0.0.4/31' | ansible.utils.ipaddr('previous_usable')), ('10.0.0.0/30' | ansible.utils.ipaddr('previous_usable')), ('2001:db8::1/64' | ansible.utils.ipaddr('previous_usable')), ('2001:db8::/32' | ansible.utils.ipaddr('previous_usable')), ('nope' | ansible.utils.ipaddr('previous_usable')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('previous_usable'))]",
        r#"["192.168.1.4", null, null, null, null, null, null, false, null]"#,
    ),
    (
        "[('10.0.0.4/31' | ansible.utils.ipaddr('peer')), ('nope' | ansible.utils.ipaddr('peer'))]",
        r#"["10.0.0.5", false]"#,
    ),
    (
        "[('192.168.1.5/24' | ansible.utils.ipaddr('range_usable')), ('192.168.1.0/24' | ansible.utils.ipaddr('range_usable')), ('10.0.0.1/32' | ansible.utils.ipaddr('range_usable')), ('10.0.0.4/31' | ansible.utils.ipaddr('range_usable')), ('10.0.0.0/30' | ansible.utils.ipaddr('range_usable')), ('2001:db8::1/64' | ansible.utils.ipaddr('range_usable')), ('2001:db8::/32' | ansible.utils.ipaddr('range_usable')), ('nope' | ansible.utils.ipaddr('range_usable')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('range_usable'))]",
        r#"["192.168.1.1-192.168.1.254", "192.168.1.1-192.168.1.254", null, "10.0.0.4-10.0.0.5", "10.0.0.1-10.0.0.2", "2001:db8::1-2001:db8::ffff:ffff:ffff:fffe", "2001:db8::1-2001:db8:ffff:ffff:ffff:ffff:ffff:fffe", false, "192.168.1.1-192.168.1.254"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('size_usable')), ('192.168.1.5/24' | ansible.utils.ipaddr('size_usable')), ('192.168.1.0/24' | ansible.utils.ipaddr('size_usable')), ('10.0.0.1/32' | ansible.utils.ipaddr('size_usable')), ('10.0.0.4/31' | ansible.utils.ipaddr('size_usable')), ('10.0.0.0/30' | ansible.utils.ipaddr('size_usable')), ('2001:db8::1' | ansible.utils.ipaddr('size_usable')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('size_usable')), ('8.8.8.8' | ansible.utils.ipaddr('size_usable')), ('224.0.0.1' | ansible.utils.ipaddr('size_usable')), ('nope' | ansible.utils.ipaddr('size_usable')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('size_usable')), ('::1' | ansible.utils.ipaddr('size_usable'))]",
        "[0, 254, 254, 0, 2, 2, 0, 0, 0, 0, false, 254, 0]",
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('network_id')), ('192.168.1.5/24' | ansible.utils.ipaddr('network_id')), ('192.168.1.0/24' | ansible.utils.ipaddr('network_id')), ('10.0.0.1/32' | ansible.utils.ipaddr('network_id')), ('10.0.0.4/31' | ansible.utils.ipaddr('network_id')), ('10.0.0.0/30' | ansible.utils.ipaddr('network_id')), ('2001:db8::1' | ansible.utils.ipaddr('network_id')), ('2001:db8::1/64' | ansible.utils.ipaddr('network_id')), ('2001:db8::/32' | ansible.utils.ipaddr('network_id')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('network_id')), ('8.8.8.8' | ansible.utils.ipaddr('network_id')), ('224.0.0.1' | ansible.utils.ipaddr('network_id')), ('nope' | ansible.utils.ipaddr('network_id')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('network_id')), ('::1' | ansible.utils.ipaddr('network_id'))]",
        r#"["192.168.1.5", "192.168.1.0", "192.168.1.0", "10.0.0.1", "10.0.0.4", "10.0.0.0", "2001:db8::1", "2001:db8::", "2001:db8::", "::ffff:10.1.1.1", "8.8.8.8", "224.0.0.1", false, "192.168.1.0", "::1"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('network_netmask')), ('192.168.1.5/24' | ansible.utils.ipaddr('network_netmask')), ('192.168.1.0/24' | ansible.utils.ipaddr('network_netmask')), ('10.0.0.1/32' | ansible.utils.ipaddr('network_netmask')), ('10.0.0.4/31' | ansible.utils.ipaddr('network_netmask')), ('10.0.0.0/30' | ansible.utils.ipaddr('network_netmask')), ('2001:db8::1' | ansible.utils.ipaddr('network_netmask')), ('2001:db8::1/64' | ansible.utils.ipaddr('network_netmask')), ('2001:db8::/32' | ansible.utils.ipaddr('network_netmask')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('network_netmask')), ('8.8.8.8' | ansible.utils.ipaddr('network_netmask')), ('224.0.0.1' | ansible.utils.ipaddr('network_netmask')), ('nope' | ansible.utils.ipaddr('network_netmask')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('network_netmask')), ('::1' | ansible.utils.ipaddr('network_netmask'))]",
        r#"["192.168.1.5 255.255.255.255", "192.168.1.0 255.255.255.0", "192.168.1.0 255.255.255.0", "10.0.0.1 255.255.255.255", "10.0.0.4 255.255.255.254", "10.0.0.0 255.255.255.252", "2001:db8::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8:: ffff:ffff:ffff:ffff::", "2001:db8:: ffff:ffff::", "::ffff:10.1.1.1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "8.8.8.8 255.255.255.255", "224.0.0.1 255.255.255.255", false, "192.168.1.0 255.255.255.0", "::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('network_wildcard')), ('192.168.1.5/24' | ansible.utils.ipaddr('network_wildcard')), ('192.168.1.0/24' | ansible.utils.ipaddr('network_wildcard')), ('10.0.0.1/32' | ansible.utils.ipaddr('network_wildcard')), ('10.0.0.4/31' | ansible.utils.ipaddr('network_wildcard')), ('10.0.0.0/30' | ansible.utils.ipaddr('network_wildcard')), ('2001:db8::1' | ansible.utils.ipaddr('network_wildcard')), ('2001:db8::1/64' | ansible.utils.ipaddr('network_wildcard')), ('2001:db8::/32' | ansible.utils.ipaddr('network_wildcard')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('network_wildcard')), ('8.8.8.8' | ansible.utils.ipaddr('network_wildcard')), ('224.0.0.1' | ansible.utils.ipaddr('network_wildcard')), ('nope' | ansible.utils.ipaddr('network_wildcard')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('network_wildcard')), ('::1' | ansible.utils.ipaddr('network_wildcard'))]",
        r#"["192.168.1.5 0.0.0.0", "192.168.1.0 0.0.0.255", "192.168.1.0 0.0.0.255", "10.0.0.1 0.0.0.0", "10.0.0.4 0.0.0.1", "10.0.0.0 0.0.0.3", "2001:db8::1 ::", "2001:db8:: ::ffff:ffff:ffff:ffff", "2001:db8:: ::ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:10.1.1.1 ::", "8.8.8.8 0.0.0.0", "224.0.0.1 0.0.0.0", false, "192.168.1.0 0.0.0.255", "::1 ::"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('network/prefix')), ('192.168.1.5/24' | ansible.utils.ipaddr('network/prefix')), ('192.168.1.0/24' | ansible.utils.ipaddr('network/prefix')), ('10.0.0.1/32' | ansible.utils.ipaddr('network/prefix')), ('10.0.0.4/31' | ansible.utils.ipaddr('network/prefix')), ('10.0.0.0/30' | ansible.utils.ipaddr('network/prefix')), ('2001:db8::1' | ansible.utils.ipaddr('network/prefix')), ('2001:db8::1/64' | ansible.utils.ipaddr('network/prefix')), ('2001:db8::/32' | ansible.utils.ipaddr('network/prefix')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('network/prefix')), ('8.8.8.8' | ansible.utils.ipaddr('network/prefix')), ('224.0.0.1' | ansible.utils.ipaddr('network/prefix')), ('nope' | ansible.utils.ipaddr('network/prefix')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('network/prefix')), ('::1' | ansible.utils.ipaddr('network/prefix'))]",
        r#"["192.168.1.5/32", "192.168.1.0/24", "192.168.1.0/24", "10.0.0.1/32", "10.0.0.4/31", "10.0.0.0/30", "2001:db8::1/128", "2001:db8::/64", "2001:db8::/32", "::ffff:10.1.1.1/128", "8.8.8.8/32", "224.0.0.1/32", false, "192.168.1.0/24", "::1/128"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('host/prefix')), ('192.168.1.5/24' | ansible.utils.ipaddr('host/prefix')), ('192.168.1.0/24' | ansible.utils.ipaddr('host/prefix')), ('10.0.0.1/32' | ansible.utils.ipaddr('host/prefix')), ('10.0.0.4/31' | ansible.utils.ipaddr('host/prefix')), ('10.0.0.0/30' | ansible.utils.ipaddr('host/prefix')), ('2001:db8::1' | ansible.utils.ipaddr('host/prefix')), ('2001:db8::1/64' | ansible.utils.ipaddr('host/prefix')), ('2001:db8::/32' | ansible.utils.ipaddr('host/prefix')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('host/prefix')), ('8.8.8.8' | ansible.utils.ipaddr('host/prefix')), ('224.0.0.1' | ansible.utils.ipaddr('host/prefix')), ('nope' | ansible.utils.ipaddr('host/prefix')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('host/prefix')), ('::1' | ansible.utils.ipaddr('host/prefix'))]",
        r#"["192.168.1.5/32", "192.168.1.5/24", false, "10.0.0.1/32", "10.0.0.4/31", false, "2001:db8::1/128", "2001:db8::1/64", false, "::ffff:10.1.1.1/128", "8.8.8.8/32", "224.0.0.1/32", false, false, "::1/128"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('address/prefix')), ('192.168.1.5/24' | ansible.utils.ipaddr('address/prefix')), ('192.168.1.0/24' | ansible.utils.ipaddr('address/prefix')), ('10.0.0.1/32' | ansible.utils.ipaddr('address/prefix')), ('10.0.0.4/31' | ansible.utils.ipaddr('address/prefix')), ('10.0.0.0/30' | ansible.utils.ipaddr('address/prefix')), ('2001:db8::1' | ansible.utils.ipaddr('address/prefix')), ('2001:db8::1/64' | ansible.utils.ipaddr('address/prefix')), ('2001:db8::/32' | ansible.utils.ipaddr('address/prefix')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('address/prefix')), ('8.8.8.8' | ansible.utils.ipaddr('address/prefix')), ('224.0.0.1' | ansible.utils.ipaddr('address/prefix')), ('nope' | ansible.utils.ipaddr('address/prefix')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('address/prefix')), ('::1' | ansible.utils.ipaddr('address/prefix'))]",
        r#"["192.168.1.5/32", "192.168.1.5/24", false, "10.0.0.1/32", "10.0.0.4/31", false, "2001:db8::1/128", "2001:db8::1/64", false, "::ffff:10.1.1.1/128", "8.8.8.8/32", "224.0.0.1/32", false, false, "::1/128"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('ip/prefix')), ('192.168.1.5/24' | ansible.utils.ipaddr('ip/prefix')), ('192.168.1.0/24' | ansible.utils.ipaddr('ip/prefix')), ('10.0.0.1/32' | ansible.utils.ipaddr('ip/prefix')), ('10.0.0.4/31' | ansible.utils.ipaddr('ip/prefix')), ('10.0.0.0/30' | ansible.utils.ipaddr('ip/prefix')), ('2001:db8::1' | ansible.utils.ipaddr('ip/prefix')), ('2001:db8::1/64' | ansible.utils.ipaddr('ip/prefix')), ('2001:db8::/32' | ansible.utils.ipaddr('ip/prefix')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('ip/prefix')), ('8.8.8.8' | ansible.utils.ipaddr('ip/prefix')), ('224.0.0.1' | ansible.utils.ipaddr('ip/prefix')), ('nope' | ansible.utils.ipaddr('ip/prefix')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('ip/prefix')), ('::1' | ansible.utils.ipaddr('ip/prefix'))]",
        r#"[null, "192.168.1.5/24", null, null, "10.0.0.4/31", null, null, "2001:db8::1/64", null, null, null, null, false, null, null]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('ip_netmask')), ('192.168.1.5/24' | ansible.utils.ipaddr('ip_netmask')), ('192.168.1.0/24' | ansible.utils.ipaddr('ip_netmask')), ('10.0.0.1/32' | ansible.utils.ipaddr('ip_netmask')), ('10.0.0.4/31' | ansible.utils.ipaddr('ip_netmask')), ('10.0.0.0/30' | ansible.utils.ipaddr('ip_netmask')), ('2001:db8::1' | ansible.utils.ipaddr('ip_netmask')), ('2001:db8::1/64' | ansible.utils.ipaddr('ip_netmask')), ('2001:db8::/32' | ansible.utils.ipaddr('ip_netmask')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('ip_netmask')), ('8.8.8.8' | ansible.utils.ipaddr('ip_netmask')), ('224.0.0.1' | ansible.utils.ipaddr('ip_netmask')), ('nope' | ansible.utils.ipaddr('ip_netmask')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('ip_netmask')), ('::1' | ansible.utils.ipaddr('ip_netmask'))]",
        r#"[null, "192.168.1.5 255.255.255.0", null, null, "10.0.0.4 255.255.255.254", null, null, "2001:db8::1 ffff:ffff:ffff:ffff::", null, null, null, null, false, null, null]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('ip')), ('192.168.1.5/24' | ansible.utils.ipaddr('ip')), ('192.168.1.0/24' | ansible.utils.ipaddr('ip')), ('10.0.0.1/32' | ansible.utils.ipaddr('ip')), ('10.0.0.4/31' | ansible.utils.ipaddr('ip')), ('10.0.0.0/30' | ansible.utils.ipaddr('ip')), ('2001:db8::1' | ansible.utils.ipaddr('ip')), ('2001:db8::1/64' | ansible.utils.ipaddr('ip')), ('2001:db8::/32' | ansible.utils.ipaddr('ip')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('ip')), ('8.8.8.8' | ansible.utils.ipaddr('ip')), ('224.0.0.1' | ansible.utils.ipaddr('ip')), ('nope' | ansible.utils.ipaddr('ip')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('ip')), ('::1' | ansible.utils.ipaddr('ip'))]",
        r#"["192.168.1.5", "192.168.1.5", null, "10.0.0.1", "10.0.0.4", null, "2001:db8::1", "2001:db8::1", "2001:db8::", "::ffff:10.1.1.1", "8.8.8.8", "224.0.0.1", false, null, "::1"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('gateway')), ('192.168.1.5/24' | ansible.utils.ipaddr('gateway')), ('192.168.1.0/24' | ansible.utils.ipaddr('gateway')), ('10.0.0.1/32' | ansible.utils.ipaddr('gateway')), ('10.0.0.4/31' | ansible.utils.ipaddr('gateway')), ('10.0.0.0/30' | ansible.utils.ipaddr('gateway')), ('2001:db8::1' | ansible.utils.ipaddr('gateway')), ('2001:db8::1/64' | ansible.utils.ipaddr('gateway')), ('2001:db8::/32' | ansible.utils.ipaddr('gateway')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('gateway')), ('8.8.8.8' | ansible.utils.ipaddr('gateway')), ('224.0.0.1' | ansible.utils.ipaddr('gateway')), ('nope' | ansible.utils.ipaddr('gateway')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('gateway')), ('::1' | ansible.utils.ipaddr('gateway'))]",
        r#"["192.168.1.5/32", "192.168.1.5/24", false, "10.0.0.1/32", "10.0.0.4/31", false, "2001:db8::1/128", "2001:db8::1/64", false, "::ffff:10.1.1.1/128", "8.8.8.8/32", "224.0.0.1/32", false, false, "::1/128"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('gw')), ('192.168.1.5/24' | ansible.utils.ipaddr('gw')), ('192.168.1.0/24' | ansible.utils.ipaddr('gw')), ('10.0.0.1/32' | ansible.utils.ipaddr('gw')), ('10.0.0.4/31' | ansible.utils.ipaddr('gw')), ('10.0.0.0/30' | ansible.utils.ipaddr('gw')), ('2001:db8::1' | ansible.utils.ipaddr('gw')), ('2001:db8::1/64' | ansible.utils.ipaddr('gw')), ('2001:db8::/32' | ansible.utils.ipaddr('gw')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('gw')), ('8.8.8.8' | ansible.utils.ipaddr('gw')), ('224.0.0.1' | ansible.utils.ipaddr('gw')), ('nope' | ansible.utils.ipaddr('gw')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('gw')), ('::1' | ansible.utils.ipaddr('gw'))]",
        r#"["192.168.1.5/32", "192.168.1.5/24", false, "10.0.0.1/32", "10.0.0.4/31", false, "2001:db8::1/128", "2001:db8::1/64", false, "::ffff:10.1.1.1/128", "8.8.8.8/32", "224.0.0.1/32", false, false, "::1/128"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('hostnet')), ('192.168.1.5/24' | ansible.utils.ipaddr('hostnet')), ('192.168.1.0/24' | ansible.utils.ipaddr('hostnet')), ('10.0.0.1/32' | ansible.utils.ipaddr('hostnet')), ('10.0.0.4/31' | ansible.utils.ipaddr('hostnet')), ('10.0.0.0/30' | ansible.utils.ipaddr('hostnet')), ('2001:db8::1' | ansible.utils.ipaddr('hostnet')), ('2001:db8::1/64' | ansible.utils.ipaddr('hostnet')), ('2001:db8::/32' | ansible.utils.ipaddr('hostnet')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('hostnet')), ('8.8.8.8' | ansible.utils.ipaddr('hostnet')), ('224.0.0.1' | ansible.utils.ipaddr('hostnet')), ('nope' | ansible.utils.ipaddr('hostnet')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('hostnet')), ('::1' | ansible.utils.ipaddr('hostnet'))]",
        r#"["192.168.1.5/32", "192.168.1.5/24", false, "10.0.0.1/32", "10.0.0.4/31", false, "2001:db8::1/128", "2001:db8::1/64", false, "::ffff:10.1.1.1/128", "8.8.8.8/32", "224.0.0.1/32", false, false, "::1/128"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('ipv4')), ('192.168.1.5/24' | ansible.utils.ipaddr('ipv4')), ('192.168.1.0/24' | ansible.utils.ipaddr('ipv4')), ('10.0.0.1/32' | ansible.utils.ipaddr('ipv4')), ('10.0.0.4/31' | ansible.utils.ipaddr('ipv4')), ('10.0.0.0/30' | ansible.utils.ipaddr('ipv4')), ('2001:db8::1' | ansible.utils.ipaddr('ipv4')), ('2001:db8::1/64' | ansible.utils.ipaddr('ipv4')), ('2001:db8::/32' | ansible.utils.ipaddr('ipv4')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('ipv4')), ('8.8.8.8' | ansible.utils.ipaddr('ipv4')), ('224.0.0.1' | ansible.utils.ipaddr('ipv4')), ('nope' | ansible.utils.ipaddr('ipv4')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('ipv4')), ('::1' | ansible.utils.ipaddr('ipv4'))]",
        r#"["192.168.1.5", "192.168.1.5/24", "192.168.1.0/24", "10.0.0.1/32", "10.0.0.4/31", "10.0.0.0/30", false, false, false, "10.1.1.1/32", "8.8.8.8", "224.0.0.1", false, "192.168.1.0/255.255.255.0", "0.0.0.1/32"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('ipv6')), ('192.168.1.5/24' | ansible.utils.ipaddr('ipv6')), ('192.168.1.0/24' | ansible.utils.ipaddr('ipv6')), ('10.0.0.1/32' | ansible.utils.ipaddr('ipv6')), ('10.0.0.4/31' | ansible.utils.ipaddr('ipv6')), ('10.0.0.0/30' | ansible.utils.ipaddr('ipv6')), ('2001:db8::1' | ansible.utils.ipaddr('ipv6')), ('2001:db8::1/64' | ansible.utils.ipaddr('ipv6')), ('2001:db8::/32' | ansible.utils.ipaddr('ipv6')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('ipv6')), ('8.8.8.8' | ansible.utils.ipaddr('ipv6')), ('224.0.0.1' | ansible.utils.ipaddr('ipv6')), ('nope' | ansible.utils.ipaddr('ipv6')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('ipv6')), ('::1' | ansible.utils.ipaddr('ipv6'))]",
        r#"["::ffff:192.168.1.5/128", "::ffff:192.168.1.5/120", "::ffff:192.168.1.0/120", "::ffff:10.0.0.1/128", "::ffff:10.0.0.4/127", "::ffff:10.0.0.0/126", "2001:db8::1", "2001:db8::1/64", "2001:db8::/32", "::ffff:10.1.1.1", "::ffff:8.8.8.8/128", "::ffff:224.0.0.1/128", false, "::ffff:192.168.1.0/120", "::1"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('type')), ('192.168.1.5/24' | ansible.utils.ipaddr('type')), ('192.168.1.0/24' | ansible.utils.ipaddr('type')), ('10.0.0.1/32' | ansible.utils.ipaddr('type')), ('10.0.0.4/31' | ansible.utils.ipaddr('type')), ('10.0.0.0/30' | ansible.utils.ipaddr('type')), ('2001:db8::1' | ansible.utils.ipaddr('type')), ('2001:db8::1/64' | ansible.utils.ipaddr('type')), ('2001:db8::/32' | ansible.utils.ipaddr('type')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('type')), ('8.8.8.8' | ansible.utils.ipaddr('type')), ('224.0.0.1' | ansible.utils.ipaddr('type')), ('nope' | ansible.utils.ipaddr('type')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('type')), ('::1' | ansible.utils.ipaddr('type'))]",
        r#"["address", "address", "network", "address", "network", "network", "address", "address", "network", "address", "address", "address", false, "network", "address"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('version')), ('192.168.1.5/24' | ansible.utils.ipaddr('version')), ('192.168.1.0/24' | ansible.utils.ipaddr('version')), ('10.0.0.1/32' | ansible.utils.ipaddr('version')), ('10.0.0.4/31' | ansible.utils.ipaddr('version')), ('10.0.0.0/30' | ansible.utils.ipaddr('version')), ('2001:db8::1' | ansible.utils.ipaddr('version')), ('2001:db8::1/64' | ansible.utils.ipaddr('version')), ('2001:db8::/32' | ansible.utils.ipaddr('version')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('version')), ('8.8.8.8' | ansible.utils.ipaddr('version')), ('224.0.0.1' | ansible.utils.ipaddr('version')), ('nope' | ansible.utils.ipaddr('version')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('version')), ('::1' | ansible.utils.ipaddr('version'))]",
        "[4, 4, 4, 4, 4, 4, 6, 6, 6, 6, 4, 4, false, 4, 6]",
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('revdns')), ('192.168.1.5/24' | ansible.utils.ipaddr('revdns')), ('192.168.1.0/24' | ansible.utils.ipaddr('revdns')), ('10.0.0.1/32' | ansible.utils.ipaddr('revdns')), ('10.0.0.4/31' | ansible.utils.ipaddr('revdns')), ('10.0.0.0/30' | ansible.utils.ipaddr('revdns')), ('2001:db8::1' | ansible.utils.ipaddr('revdns')), ('2001:db8::1/64' | ansible.utils.ipaddr('revdns')), ('2001:db8::/32' | ansible.utils.ipaddr('revdns')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('revdns')), ('8.8.8.8' | ansible.utils.ipaddr('revdns')), ('224.0.0.1' | ansible.utils.ipaddr('revdns')), ('nope' | ansible.utils.ipaddr('revdns')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('revdns')), ('::1' | ansible.utils.ipaddr('revdns'))]",
        r#"["5.1.168.192.in-addr.arpa.", "5.1.168.192.in-addr.arpa.", "0.1.168.192.in-addr.arpa.", "1.0.0.10.in-addr.arpa.", "4.0.0.10.in-addr.arpa.", "0.0.0.10.in-addr.arpa.", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", "1.0.1.0.1.0.a.0.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.", "8.8.8.8.in-addr.arpa.", "1.0.0.224.in-addr.arpa.", false, "0.1.168.192.in-addr.arpa.", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa."]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('wrap')), ('192.168.1.5/24' | ansible.utils.ipaddr('wrap')), ('192.168.1.0/24' | ansible.utils.ipaddr('wrap')), ('10.0.0.1/32' | ansible.utils.ipaddr('wrap')), ('10.0.0.4/31' | ansible.utils.ipaddr('wrap')), ('10.0.0.0/30' | ansible.utils.ipaddr('wrap')), ('2001:db8::1' | ansible.utils.ipaddr('wrap')), ('2001:db8::1/64' | ansible.utils.ipaddr('wrap')), ('2001:db8::/32' | ansible.utils.ipaddr('wrap')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('wrap')), ('8.8.8.8' | ansible.utils.ipaddr('wrap')), ('224.0.0.1' | ansible.utils.ipaddr('wrap')), ('nope' | ansible.utils.ipaddr('wrap')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('wrap')), ('::1' | ansible.utils.ipaddr('wrap'))]",
        r#"["192.168.1.5", "192.168.1.5/24", "192.168.1.0/24", "10.0.0.1/32", "10.0.0.4/31", "10.0.0.0/30", "[2001:db8::1]", "[2001:db8::1]/64", "[2001:db8::]/32", "[::ffff:10.1.1.1]", "8.8.8.8", "224.0.0.1", false, "192.168.1.0/255.255.255.0", "[::1]"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('1')), ('192.168.1.5/24' | ansible.utils.ipaddr('1')), ('192.168.1.0/24' | ansible.utils.ipaddr('1')), ('10.0.0.1/32' | ansible.utils.ipaddr('1')), ('10.0.0.4/31' | ansible.utils.ipaddr('1')), ('10.0.0.0/30' | ansible.utils.ipaddr('1')), ('2001:db8::1' | ansible.utils.ipaddr('1')), ('2001:db8::1/64' | ansible.utils.ipaddr('1')), ('2001:db8::/32' | ansible.utils.ipaddr('1')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('1')), ('8.8.8.8' | ansible.utils.ipaddr('1')), ('224.0.0.1' | ansible.utils.ipaddr('1')), ('nope' | ansible.utils.ipaddr('1')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('1')), ('::1' | ansible.utils.ipaddr('1'))]",
        r#"["192.168.1.5", "192.168.1.1/24", "192.168.1.1/24", "10.0.0.1/32", "10.0.0.5/31", "10.0.0.1/30", "2001:db8::1", "2001:db8::1/64", "2001:db8::1/32", "::ffff:10.1.1.1", "8.8.8.8", "224.0.0.1", false, "192.168.1.1/24", "::1"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('-1')), ('192.168.1.5/24' | ansible.utils.ipaddr('-1')), ('192.168.1.0/24' | ansible.utils.ipaddr('-1')), ('10.0.0.1/32' | ansible.utils.ipaddr('-1')), ('10.0.0.4/31' | ansible.utils.ipaddr('-1')), ('10.0.0.0/30' | ansible.utils.ipaddr('-1')), ('2001:db8::1' | ansible.utils.ipaddr('-1')), ('2001:db8::1/64' | ansible.utils.ipaddr('-1')), ('2001:db8::/32' | ansible.utils.ipaddr('-1')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('-1')), ('8.8.8.8' | ansible.utils.ipaddr('-1')), ('224.0.0.1' | ansible.utils.ipaddr('-1')), ('nope' | ansible.utils.ipaddr('-1')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('-1')), ('::1' | ansible.utils.ipaddr('-1'))]",
        r#"["192.168.1.5", "192.168.1.255/24", "192.168.1.255/24", "10.0.0.1/32", "10.0.0.5/31", "10.0.0.3/30", "2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff/64", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/32", "::ffff:10.1.1.1", "8.8.8.8", "224.0.0.1", false, "192.168.1.255/24", "::1"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('0')), ('192.168.1.5/24' | ansible.utils.ipaddr('0')), ('192.168.1.0/24' | ansible.utils.ipaddr('0')), ('10.0.0.1/32' | ansible.utils.ipaddr('0')), ('10.0.0.4/31' | ansible.utils.ipaddr('0')), ('10.0.0.0/30' | ansible.utils.ipaddr('0')), ('2001:db8::1' | ansible.utils.ipaddr('0')), ('2001:db8::1/64' | ansible.utils.ipaddr('0')), ('2001:db8::/32' | ansible.utils.ipaddr('0')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('0')), ('8.8.8.8' | ansible.utils.ipaddr('0')), ('224.0.0.1' | ansible.utils.ipaddr('0')), ('nope' | ansible.utils.ipaddr('0')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('0')), ('::1' | ansible.utils.ipaddr('0'))]",
        r#"["192.168.1.5", "192.168.1.0/24", "192.168.1.0/24", "10.0.0.1/32", "10.0.0.4/31", "10.0.0.0/30", "2001:db8::1", "2001:db8::/64", "2001:db8::/32", "::ffff:10.1.1.1", "8.8.8.8", "224.0.0.1", false, "192.168.1.0/24", "::1"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('5')), ('192.168.1.5/24' | ansible.utils.ipaddr('5')), ('192.168.1.0/24' | ansible.utils.ipaddr('5')), ('10.0.0.1/32' | ansible.utils.ipaddr('5')), ('10.0.0.4/31' | ansible.utils.ipaddr('5')), ('10.0.0.0/30' | ansible.utils.ipaddr('5')), ('2001:db8::1' | ansible.utils.ipaddr('5')), ('2001:db8::1/64' | ansible.utils.ipaddr('5')), ('2001:db8::/32' | ansible.utils.ipaddr('5')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('5')), ('8.8.8.8' | ansible.utils.ipaddr('5')), ('224.0.0.1' | ansible.utils.ipaddr('5')), ('nope' | ansible.utils.ipaddr('5')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('5')), ('::1' | ansible.utils.ipaddr('5'))]",
        r#"["192.168.1.5", "192.168.1.5/24", "192.168.1.5/24", "10.0.0.1/32", false, false, "2001:db8::1", "2001:db8::5/64", "2001:db8::5/32", "::ffff:10.1.1.1", "8.8.8.8", "224.0.0.1", false, "192.168.1.5/24", "::1"]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('192.168.1.0/24')), ('192.168.1.5/24' | ansible.utils.ipaddr('192.168.1.0/24')), ('192.168.1.0/24' | ansible.utils.ipaddr('192.168.1.0/24')), ('10.0.0.1/32' | ansible.utils.ipaddr('192.168.1.0/24')), ('10.0.0.4/31' | ansible.utils.ipaddr('192.168.1.0/24')), ('10.0.0.0/30' | ansible.utils.ipaddr('192.168.1.0/24')), ('2001:db8::1' | ansible.utils.ipaddr('192.168.1.0/24')), ('2001:db8::1/64' | ansible.utils.ipaddr('192.168.1.0/24')), ('2001:db8::/32' | ansible.utils.ipaddr('192.168.1.0/24')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('192.168.1.0/24')), ('8.8.8.8' | ansible.utils.ipaddr('192.168.1.0/24')), ('224.0.0.1' | ansible.utils.ipaddr('192.168.1.0/24')), ('nope' | ansible.utils.ipaddr('192.168.1.0/24')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('192.168.1.0/24')), ('::1' | ansible.utils.ipaddr('192.168.1.0/24'))]",
        r#"["192.168.1.5", "192.168.1.5/24", "192.168.1.0/24", null, null, null, null, null, null, null, null, null, false, "192.168.1.0/255.255.255.0", null]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('192.168.0.0/16')), ('192.168.1.5/24' | ansible.utils.ipaddr('192.168.0.0/16')), ('192.168.1.0/24' | ansible.utils.ipaddr('192.168.0.0/16')), ('10.0.0.1/32' | ansible.utils.ipaddr('192.168.0.0/16')), ('10.0.0.4/31' | ansible.utils.ipaddr('192.168.0.0/16')), ('10.0.0.0/30' | ansible.utils.ipaddr('192.168.0.0/16')), ('2001:db8::1' | ansible.utils.ipaddr('192.168.0.0/16')), ('2001:db8::1/64' | ansible.utils.ipaddr('192.168.0.0/16')), ('2001:db8::/32' | ansible.utils.ipaddr('192.168.0.0/16')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('192.168.0.0/16')), ('8.8.8.8' | ansible.utils.ipaddr('192.168.0.0/16')), ('224.0.0.1' | ansible.utils.ipaddr('192.168.0.0/16')), ('nope' | ansible.utils.ipaddr('192.168.0.0/16')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('192.168.0.0/16')), ('::1' | ansible.utils.ipaddr('192.168.0.0/16'))]",
        r#"["192.168.1.5", "192.168.1.5/24", "192.168.1.0/24", null, null, null, null, null, null, null, null, null, false, "192.168.1.0/255.255.255.0", null]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('192.168.1.5')), ('192.168.1.5/24' | ansible.utils.ipaddr('192.168.1.5')), ('192.168.1.0/24' | ansible.utils.ipaddr('192.168.1.5')), ('10.0.0.1/32' | ansible.utils.ipaddr('192.168.1.5')), ('10.0.0.4/31' | ansible.utils.ipaddr('192.168.1.5')), ('10.0.0.0/30' | ansible.utils.ipaddr('192.168.1.5')), ('2001:db8::1' | ansible.utils.ipaddr('192.168.1.5')), ('2001:db8::1/64' | ansible.utils.ipaddr('192.168.1.5')), ('2001:db8::/32' | ansible.utils.ipaddr('192.168.1.5')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('192.168.1.5')), ('8.8.8.8' | ansible.utils.ipaddr('192.168.1.5')), ('224.0.0.1' | ansible.utils.ipaddr('192.168.1.5')), ('nope' | ansible.utils.ipaddr('192.168.1.5')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('192.168.1.5')), ('::1' | ansible.utils.ipaddr('192.168.1.5'))]",
        r#"["192.168.1.5", null, null, null, null, null, null, null, null, null, null, null, false, null, null]"#,
    ),
    (
        "[('192.168.1.5' | ansible.utils.ipaddr('2001:db8::/32')), ('192.168.1.5/24' | ansible.utils.ipaddr('2001:db8::/32')), ('192.168.1.0/24' | ansible.utils.ipaddr('2001:db8::/32')), ('10.0.0.1/32' | ansible.utils.ipaddr('2001:db8::/32')), ('10.0.0.4/31' | ansible.utils.ipaddr('2001:db8::/32')), ('10.0.0.0/30' | ansible.utils.ipaddr('2001:db8::/32')), ('2001:db8::1' | ansible.utils.ipaddr('2001:db8::/32')), ('2001:db8::1/64' | ansible.utils.ipaddr('2001:db8::/32')), ('2001:db8::/32' | ansible.utils.ipaddr('2001:db8::/32')), ('::ffff:10.1.1.1' | ansible.utils.ipaddr('2001:db8::/32')), ('8.8.8.8' | ansible.utils.ipaddr('2001:db8::/32')), ('224.0.0.1' | ansible.utils.ipaddr('2001:db8::/32')), ('nope' | ansible.utils.ipaddr('2001:db8::/32')), ('192.168.1.0/255.255.255.0' | ansible.utils.ipaddr('2001:db8::/32')), ('::1' | ansible.utils.ipaddr('2001:db8::/32'))]",
        r#"[null, null, null, null, null, null, "2001:db8::1", "2001:db8::1/64", "2001:db8::/32", null, null, null, false, null, null]"#,
    ),
    (
        "[1, 300] | map('ansible.utils.ipaddr') | list",
        r#"["0.0.0.1", "0.0.1.44"]"#,
    ),
    (
        "['1.2.3.4', 'x', '10.0.0.0/8', '::1'] | ansible.utils.ipaddr",
        r#"["1.2.3.4", "10.0.0.0/8", "::1"]"#,
    ),
    (
        "['1.2.3.4', 'x', '10.0.0.0/8', '::1'] | ansible.utils.ipaddr('private')",
        r#"["10.0.0.0/8", "::1"]"#,
    ),
    (
        "['10.0.0.0/24', '192.168.1.1'] | ansible.utils.ipaddr('1')",
        r#"["10.0.0.1/24", "192.168.1.1"]"#,
    ),
    ("'10.0.0.5/24' | ansible.utils.ipaddr('300')", "false"),
    (
        "'10.0.0.5/24' | ansible.utils.ipaddr(-2)",
        r#""10.0.0.254/24""#,
    ),
    ("'1.2.3.4' | ansible.utils.ipv4", r#""1.2.3.4""#),
    ("'1.2.3.4' | ansible.utils.ipv6", "false"),
    ("'::1' | ansible.utils.ipv6", r#""::1""#),
    (
        "['1.2.3.4', '::1', 'x'] | ansible.utils.ipv4",
        r#"["1.2.3.4"]"#,
    ),
    (
        "'10.0.0.1/30' | ansible.utils.ipv4('peer')",
        r#""10.0.0.2""#,
    ),
    (
        "'192.168.1.1/24' | ansible.utils.ipv4('address')",
        r#""192.168.1.1""#,
    ),
    ("'::1' | ansible.utils.ipwrap", r#""[::1]""#),
    ("'1.2.3.4' | ansible.utils.ipwrap", r#""1.2.3.4""#),
    ("'host' | ansible.utils.ipwrap", r#""host""#),
    (
        "['::1/64', 'x', '1.2.3.4'] | ansible.utils.ipwrap",
        r#"["[::1]/64", "x", "1.2.3.4"]"#,
    ),
    (
        "'192.168.0.0/16' | ansible.utils.ipsubnet",
        r#""192.168.0.0/16""#,
    ),
    (
        "'192.168.144.5' | ansible.utils.ipsubnet",
        r#""192.168.144.5/32""#,
    ),
    ("'192.168.0.0/16' | ansible.utils.ipsubnet(20)", r#""16""#),
    (
        "'192.168.0.0/16' | ansible.utils.ipsubnet(20, 0)",
        r#""192.168.0.0/20""#,
    ),
    (
        "'192.168.0.0/16' | ansible.utils.ipsubnet(20, -1)",
        r#""192.168.240.0/20""#,
    ),
    ("'192.168.0.0/16' | ansible.utils.ipsubnet(20, 99)", "false"),
    (
        "'192.168.144.5' | ansible.utils.ipsubnet(20)",
        r#""192.168.144.0/20""#,
    ),
    (
        "'192.168.144.5' | ansible.utils.ipsubnet(18)",
        r#""192.168.128.0/18""#,
    ),
    (
        "'10.0.0.0/8' | ansible.utils.nthhost(305)",
        r#""10.0.1.49""#,
    ),
    ("'10.0.0.0/30' | ansible.utils.nthhost(5)", "false"),
    ("'10.0.0.0/30' | ansible.utils.nthhost(-1)", r#""10.0.0.3""#),
    (
        "'192.168.1.5' | ansible.utils.ipmath(5)",
        r#""192.168.1.10""#,
    ),
    (
        "'192.168.1.5' | ansible.utils.ipmath(-10)",
        r#""192.168.0.251""#,
    ),
    ("'2001::1' | ansible.utils.ipmath(9)", r#""2001::a""#),
    (
        "'192.168.0.0/24' | ansible.utils.network_in_usable('192.168.0.1')",
        "true",
    ),
    (
        "'192.168.0.0/24' | ansible.utils.network_in_usable('192.168.0.255')",
        "false",
    ),
    (
        "'192.168.0.0/24' | ansible.utils.network_in_network('192.168.0.255')",
        "true",
    ),
    (
        "'192.168.0.0/24' | ansible.utils.network_in_network('192.168.1.0/30')",
        "false",
    ),
    (
        "['192.168.0.0/17', '192.168.128.0/17', '192.168.128.1'] | ansible.utils.cidr_merge",
        r#"["192.168.0.0/16"]"#,
    ),
    (
        "['192.168.0.0/24', '192.168.3.1'] | ansible.utils.cidr_merge('span')",
        r#""192.168.0.0/22""#,
    ),
    (
        "['1a:2b:3c:4d:5e:6f', '1a2b.3c4d.5e6f'] | map('ansible.utils.hwaddr') | list",
        r#"["1a:2b:3c:4d:5e:6f", "1a2b.3c4d.5e6f"]"#,
    ),
    (
        "'1A-2B-3C-4D-5E-6F' | ansible.utils.hwaddr('linux')",
        r#""1a:2b:3c:4d:5e:6f""#,
    ),
    (
        "'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr('cisco')",
        r#""1a2b.3c4d.5e6f""#,
    ),
    (
        "'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr('win')",
        r#""1A-2B-3C-4D-5E-6F""#,
    ),
    (
        "'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr('bare')",
        r#""1A2B3C4D5E6F""#,
    ),
    (
        "'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr('int')",
        "28772997619311",
    ),
    (
        "'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr('pgsql')",
        r#""1a2b3c:4d5e6f""#,
    ),
    ("'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr('bool')", "true"),
];

const QUERIES: &[Case] = &[
    (
        "[{'n': 'a', 'v': 1}, {'n': 'b', 'v': 2}] | community.general.json_query('[*].n')",
        r#"["a", "b"]"#,
    ),
    (
        "[{'n': 'a', 'v': 1}, {'n': 'b', 'v': 2}] | community.general.json_query('[?n==`b`].v')",
        "[2]",
    ),
    (
        "[{'n': 'a', 'v': 1}, {'n': 'b', 'v': 2}] | community.general.json_query(\"[?n=='b'] | [0].v\")",
        "2",
    ),
    (
        "{'a': {'b': [1, 2, 3]}} | community.general.json_query('a.b[-1]')",
        "3",
    ),
    (
        "{'a': {'b': [1, 2, 3]}} | community.general.json_query('a.{x: b[0], y: length(b)}')",
        r#"{"x": 1, "y": 3}"#,
    ),
    ("{'a': 1} | community.general.json_query('nope.x')", "null"),
    (
        "[3, 1, 2] | community.general.json_query('sort(@)')",
        "[1, 2, 3]",
    ),
];

#[test]
fn addresses_are_what_they_are_to_ansible() {
    hold("netaddr, ansible_collections.ansible.utils", ADDRESSES);
}

#[test]
fn queries_find_what_they_find_for_ansible() {
    hold("jmespath, ansible_collections.community.general", QUERIES);
}

#[test]
fn odd_input_is_told() {
    for (text, wanted) in [
        ("{{ missing | ipaddr }}", "`missing` is undefined"),
        (
            "{{ {'a': 1} | ipaddr }}",
            "wants an address or a list of them, found a map",
        ),
        (
            "{{ '1.2.3.4' | ipaddr('adress') }}",
            "`ipaddr` knows no `adress`: did you mean `address`?",
        ),
        (
            "{{ '1.2.3.4' | ipaddr('first_usable') }}",
            "give it a prefix, as in `1.2.3.4/24`",
        ),
        (
            "{{ '1.2.3.4/24' | ipaddr('peer') }}",
            "is not one of two hosts",
        ),
        ("{{ '1.2.3.4/30' | ipaddr('peer') }}", "which has no peer"),
        (
            "{{ 'x' | ipsubnet(24) }}",
            "`ipsubnet`: `x` is no address and no network",
        ),
        (
            "{{ none | ipsubnet(24) }}",
            "wants an address or a network, found nothing",
        ),
        (
            "{{ '1.2.3.0/24' | ipsubnet('x') }}",
            "wants the length of a prefix, found `x`",
        ),
        (
            "{{ '255.255.255.255' | ipmath(1) }}",
            "there is no address 1 from `255.255.255.255`",
        ),
        (
            "{{ '::' | ipmath(-1) }}",
            "there is no address -1 from `::`",
        ),
        (
            "{{ ['1.2.3.4', '::1'] | cidr_merge('span') }}",
            "no network in common",
        ),
        (
            "{{ 'x' | hwaddr('linux') }}",
            "`hwaddr`: `x` is no address of a network card",
        ),
        (
            "{{ [1] | json_query('[') }}",
            "`json_query`: `[` is not right",
        ),
    ] {
        let wrong = wrong(text);
        assert!(wrong.contains(wanted), "{text}: {wrong}");
    }
    // Neither false nor a panic where a network is all there is.
    assert_eq!(
        value("{{ '0.0.0.0/0' | ipaddr('size') }}"),
        4_294_967_296_u64
    );
    assert_eq!(
        value("{{ '::/0' | ipaddr('last_usable') }}"),
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"
    );
    assert_eq!(
        value("{{ ['::/0', '1.1.1.1/0'] | cidr_merge }}"),
        serde_json::json!(["0.0.0.0/0", "::/0"])
    );
    assert_eq!(value("{{ '::/0' | ipsubnet(128, -1) }}"), false);
    assert_eq!(
        value("{{ '::/0' | nthhost(-1) }}"),
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    );
    assert_eq!(value("{{ '1.2.3.4' | nthhost(0) }}"), "1.2.3.4");
    assert_eq!(
        value("{{ ['10.0.0.0/8', '0.0.0.1'] | cidr_merge('span') }}"),
        "0.0.0.0/4"
    );
}

#[test]
fn what_is_found_in_secrets_is_secret() {
    let found = render("{{ [db] | json_query('[*].password') }}");
    assert_eq!(found.to_json(), serde_json::json!(["***"]));
    let found = render("{{ [db] | json_query('[0].password') }}");
    assert!(matches!(found, Value::Secret(_)), "{found:?}");
}
