/**
 * What tells programs that nobody sits in front of them: no editor, no pager and no question for a password waits for
 * a person who is not there. A command that wants it otherwise sets the variable itself; an operator passes it.
 */

/** Succeeding without a change would be taken for a person's consent: it fails, and says how to do without. */
const NO_EDITOR = `sh -c 'echo "No editor can be used here: give the text with the command (git commit -m or -F, --no-edit), or set GIT_EDITOR for this command (GIT_EDITOR=true keeps a text as it is)." >&2; exit 1'`;

/** Each group is left out as a whole when the environment has one of its names. */
const GROUPS: readonly Readonly<Record<string, string>>[] = [
  { GIT_EDITOR: NO_EDITOR, GIT_SEQUENCE_EDITOR: NO_EDITOR, VISUAL: NO_EDITOR, EDITOR: NO_EDITOR },
  { GIT_PAGER: "cat", PAGER: "cat" },
  { GIT_TERMINAL_PROMPT: "0" },
  { GIT_ASKPASS: "false", SSH_ASKPASS: "false" },
  { GCM_INTERACTIVE: "never" },
  { DEBIAN_FRONTEND: "noninteractive" },
  { PIP_NO_INPUT: "1" },
];

export function unattendedEnvironment(
  environment: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const groups = GROUPS.filter((group) => !Object.keys(group).some((name) => name in environment));
  return Object.assign({}, ...groups, environment) as Record<string, string>;
}
