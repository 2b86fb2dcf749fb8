/** The folder of the user that the server runs as. */
import { homedir } from "node:os";

/** What a shell takes `~` for: `HOME`, or what the system knows of the user; `/` for one that it does not know. */
export function userHome(read: () => string = homedir): string {
  try {
    return read();
  } catch {
    // Containers run as any number: there is no entry in /etc/passwd.
    return "/";
  }
}
