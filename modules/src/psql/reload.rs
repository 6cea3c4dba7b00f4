//! A server reads its files again.

/// How often the session looks whether it has happened, and for how long it waits in between: first
/// for a moment, ten seconds at most in all.
const LOOKS: [(usize, &str); 3] = [(25, "0.02"), (15, "0.1"), (16, "0.5")];

/// No line of `pg_hba.conf` may be wrong: the server would take none of them, and say so nowhere but
/// in its log.
pub(crate) const RULES_ARE_RIGHT: &str = "DO $ek$DECLARE bad text; BEGIN \
    SELECT string_agg(format('line %s: %s', line_number, error), '; ' ORDER BY line_number) INTO bad \
      FROM pg_hba_file_rules WHERE error IS NOT NULL; \
    IF bad IS NOT NULL THEN RAISE EXCEPTION 'the server takes no rule of %, its % is wrong (correct it \
there; until then it goes on with the rules it has)', current_setting('hba_file'), bad; END IF; END$ek$;";

/// What begins to wait. With a file that it cannot read, or with a name in it that it does not know, the
/// server would read nothing at all, and say so nowhere but in its log.
const BEGIN: &str = "\\o /dev/null
DO $ek$DECLARE bad text; BEGIN SELECT string_agg(format('%s in line %s of %s', error, sourceline, \
sourcefile), '; ' ORDER BY seqno) INTO bad FROM pg_file_settings f WHERE error IS NOT NULL \
AND NOT EXISTS (SELECT FROM pg_settings s WHERE lower(s.name) = lower(f.name)); \
IF bad IS NOT NULL THEN RAISE EXCEPTION 'the server would not read its configuration: % (correct it \
there; until then it goes on with the settings it has)', bad; END IF; END$ek$;
SELECT pg_conf_load_time() AS ek_was \\gset
SELECT pg_reload_conf();
";

/// What says that it has not happened.
const END: &str = "SELECT pg_conf_load_time() = :'ek_was'::timestamptz AS ek_not \\gset
\\if :ek_not
DO $ek$BEGIN RAISE EXCEPTION 'the server did not read its configuration again within ten seconds \
(see its log)'; END$ek$;
\\endif
\\o
";

/// Lines for `psql`: the server is told, and has done it when the last of them ends. So whoever logs
/// in next meets the new settings and rules.
pub(crate) fn lines() -> String {
    // A session reads the files again only between two statements. It cannot be ahead of the server,
    // which does it before it tells its sessions.
    let look = |(count, pause): (usize, &str)| {
        let line = "SELECT pg_sleep(PAUSE) WHERE pg_conf_load_time() = :'ek_was'::timestamptz;\n";
        line.replace("PAUSE", pause).repeat(count)
    };
    [BEGIN.to_owned(), LOOKS.map(look).concat(), END.to_owned()].concat()
}
