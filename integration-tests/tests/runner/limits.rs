//! How long tasks may take (`timeout`). Where Ansible is there, it makes the same of the same playbook.

use std::fs;

use evenkeel_integration_tests::Scratch;

use super::control::{both, with_files};

#[test]
fn a_task_whose_time_is_up_has_failed_as_in_ansible() {
    both(
        "
timeout: 1
vars:
  say: \"{{ r.failed }} {{ r.changed }} {{ r.timedout.period | default('none') }} {{ 'Timed out after' in (r.msg | default('')) }} {{ r.rc is defined }}\"
tasks:
- command: sleep 10
  register: r
  ignore_errors: true
- shell: echo {{ say }} >> out
  args: {chdir: '{{ playbook_dir }}'}
  timeout: 0
- timeout: 50
  block:
  - block:
    - shell: echo before; sleep 10
      timeout: '{{ [1, 2] | first }}'
      failed_when: false
      register: r
    rescue:
    - shell: echo rescued {{ ansible_failed_result.timedout.period }} {{ say }} >> out
      args: {chdir: '{{ playbook_dir }}'}
  - command: sleep {{ item.sleep }}
    timeout: '{{ item.timeout }}'
    loop: [{sleep: 0, timeout: 0}, {sleep: 10, timeout: 1}, {sleep: 0, timeout: 50}]
    loop_control: {label: '{{ item.sleep }}'}
    register: r
    ignore_errors: true
  - shell: echo {{ r.results | map(attribute='failed') | join(' ') }} {{ r.results[1].timedout.period }} >> out
    args: {chdir: '{{ playbook_dir }}'}
  - command: sleep 10
    timeout: 1
    until: r is success
    retries: 5
    delay: 9
    register: r
    ignore_errors: true
  - shell: echo {{ say }} >> out
    args: {chdir: '{{ playbook_dir }}'}
",
        "True False 1 True False\nrescued 1 True False 1 True False\nFalse True False 1\nTrue False 1 True False\n",
    );
}

#[test]
fn what_ran_on_the_host_is_ended_with_all_that_it_started() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
tasks:
- name: never ends
  shell: |
    sleep 300 & echo $! > child
    echo $$ > shell
    echo so far
    wait
  args: {chdir: '{{ playbook_dir }}'}
  timeout: 2
",
    );
    let ended = scratch.run(&[]);
    for name in ["child", "shell"] {
        // What nobody has waited for yet is a zombie, which runs no more.
        let stat = format!("/proc/{}/stat", scratch.read(name).trim());
        let stat = fs::read_to_string(stat).unwrap_or_default();
        assert!(
            stat.is_empty() || stat.contains(") Z "),
            "{name}: {stat}{ended}"
        );
    }
    let said = ended.to_string();
    assert!(said.contains("did not end within 2 s"), "{said}");
    assert!(said.contains("so far"), "{said}");
}

#[test]
fn each_turn_of_a_loop_has_all_of_the_time() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
tasks:
- name: each turn has it
  command: sleep 1.5
  timeout: 3
  loop: [1, 2, 3]
",
    );
    scratch.run(&[]).ok();
}

/// Jobs that nobody waits for, and what is asked of them.
const JOBS: &str = "
environment: {ANSIBLE_ASYNC_DIR: '{{ playbook_dir }}/jobs'}
vars:
  job: \"{{ r.started is truthy }} {{ r.finished is truthy }} {{ r.ansible_job_id is string }} {{ r.changed }} {{ r.rc is defined }}\"
  end: \"{{ s.finished is truthy }} {{ s.failed }} {{ s.rc | default('no rc') }} {{ s.stdout_lines | join('+') }} {{ s.stderr }}\"
  # Ansible's wrapper waits 2.5 s for a job to have begun, and then says that it has.
  there: \"{{ s.msg | default('') != 'could not find job' }}\"
tasks:
- shell: until [ -e go ]; do sleep 0.05; done; echo one; echo two; echo three >&2; touch made
  args: {chdir: '{{ playbook_dir }}'}
  async: 100
  poll: 0
  register: r
- async_status: {jid: '{{ r.ansible_job_id }}'}
  register: s
  until: there
  retries: 100
  delay: 1
- shell: echo {{ job }} {{ s.finished is truthy }} {{ s is finished }} {{ s.changed }} >> out; touch go
  args: {chdir: '{{ playbook_dir }}'}
- async_status: {jid: '{{ r.ansible_job_id }}'}
  register: s
  until: s.finished and there
  retries: 100
  delay: 1
- shell: echo {{ end }} {{ s is finished }} {{ s.changed }} >> out; ls made >> out
  args: {chdir: '{{ playbook_dir }}'}
- async_status: {jid: '{{ r.ansible_job_id }}', mode: cleanup}
  register: s
- async_status: {jid: '{{ r.ansible_job_id }}'}
  register: gone
  ignore_errors: true
- shell: echo {{ s.erased is defined }} {{ s.changed }} {{ gone.failed }} {{ gone.msg }} >> out
  args: {chdir: '{{ playbook_dir }}'}
- shell: cat; exit {{ item }}
  args: {stdin: 'given {{ item }}'}
  async: 100
  poll: 0
  loop: [0, 3]
  register: jobs
- async_status: {jid: '{{ item.ansible_job_id }}'}
  register: ends
  until: ends.finished and ends.msg | default('') != 'could not find job'
  retries: 100
  delay: 1
  loop: '{{ jobs.results }}'
  loop_control: {label: '{{ item.item }}'}
  ignore_errors: true
- shell: echo {{ ends.results | map(attribute='rc') | join(' ') }} {{ ends.results | map(attribute='stdout') | join(' ') }} {{ ends.results | map(attribute='failed') | join(' ') }} >> out
  args: {chdir: '{{ playbook_dir }}'}
- command: sleep 30
  async: 1
  poll: 0
  register: r
- async_status: {jid: '{{ r.ansible_job_id }}'}
  register: s
  until: s.finished and there
  retries: 100
  delay: 1
  ignore_errors: true
- shell: echo {{ s.failed }} {{ s.msg }} >> out
  args: {chdir: '{{ playbook_dir }}'}
- command: echo
  args: {creates: '{{ playbook_dir }}/out'}
  async: 100
  poll: 0
  register: r
- async_status: {jid: '{{ r.ansible_job_id }}'}
  register: s
  until: s.finished and there
  retries: 100
  delay: 1
- file: {path: '{{ playbook_dir }}/later', state: touch}
  async: 100
  poll: 0
  register: r
- async_status: {jid: '{{ r.ansible_job_id }}'}
  register: made
  until: made is finished and made.msg | default('') != 'could not find job'
  retries: 100
  delay: 1
- shell: echo {{ s.failed }} {{ s.changed }} {{ made.failed }} >> out; ls later >> out
  args: {chdir: '{{ playbook_dir }}'}
- command: echo waited
  async: 100
  poll: 1
  register: r
- shell: echo {{ r.stdout }} {{ r.finished is truthy }} {{ r is changed }} >> out
  args: {chdir: '{{ playbook_dir }}'}
";

#[test]
fn what_is_begun_and_not_waited_for_is_asked_how_it_stands() {
    both(
        JOBS,
        "True False True True False False False False\nTrue False 0 one+two three True True\nmade\n\
         True False True could not find job\n0 3 given 0 given 3 False True\nTrue Timeout exceeded\nFalse False False\nlater\n\
         waited True True\n",
    );
}

#[test]
fn a_job_goes_on_when_the_run_has_ended() {
    let scratch = Scratch::new();
    let jobs = "environment: {ANSIBLE_ASYNC_DIR: '{{ playbook_dir }}/jobs'}";
    scratch.tasks(&format!(
        "
{jobs}
tasks:
- name: begin
  shell: until [ -e go ]; do sleep 0.05; done; echo done
  args: {{chdir: '{{{{ playbook_dir }}}}'}}
  async: 100
  poll: 0
  register: job
- copy: {{dest: '{{{{ playbook_dir }}}}/jid', content: '{{{{ job.ansible_job_id }}}}'}}
",
    ));
    scratch.run(&[]).ok().changed(2);
    let jid = scratch.read("jid");
    scratch.file("go", "");
    scratch.tasks(&format!(
        "
{jobs}
tasks:
- name: end
  async_status: {{jid: {jid}}}
  until: job.finished
  retries: 100
  delay: 0.1
  register: job
- copy: {{dest: '{{{{ playbook_dir }}}}/said', content: '{{{{ job.stdout }}}}'}}
",
    ));
    scratch.run(&[]).ok().changed(2);
    assert_eq!(scratch.read("said"), "done");
    // Nobody else reads what a job says.
    let mode = fs::metadata(scratch.path(&format!("jobs/{jid}"))).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
    assert_eq!(mode & 0o7777, 0o700);
    scratch.plan(&[]).outcome("end", "unknown");
}

#[test]
fn an_include_says_whether_it_was_skipped() {
    with_files(
        "
vars: {known: true}
tasks:
- include_tasks: more.yml
  register: one
- include_tasks: more.yml
  when: not known
  register: two
- command: echo {{ item }}
  loop: [a, b]
  register: late
  changed_when: false
- include_tasks: more.yml
  when: late.results[1].stdout == 'a'
  register: three
- include_tasks: more.yml
  loop: [1, 2]
  when: item == 1
  register: four
- shell: echo {{ [one, two, three, four] | map(attribute='skipped', default=false) | join(' ') }} {{ one is skipped }} {{ two is skipped }} {{ three is changed }} >> out
  args: {chdir: '{{ playbook_dir }}'}
- shell: echo {{ four.results | map(attribute='skipped', default=false) | join(' ') }} >> out
  args: {chdir: '{{ playbook_dir }}'}
  when: three is skipped
",
        &[("more.yml", "- shell: echo in >> out\n  args: {chdir: '{{ playbook_dir }}'}\n")],
        "in\nin\nFalse True True False False True False\nFalse True\n",
    );
}
