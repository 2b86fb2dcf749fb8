/** Attachments that point at GitHub, and the line that each becomes in a prompt. */
import { oneLine } from "../../../agent/prompt-blocks.ts";

export interface LineRange {
  /** 1-based. */
  readonly start: number;
  /** 1-based, inclusive. */
  readonly end: number;
}

export interface GitHubRepository {
  readonly owner: string;
  readonly name: string;
}

interface GitHubLocation {
  readonly repo: GitHubRepository;
  readonly ref: string;
  readonly path: string;
}

interface GitHubRevision {
  readonly repo: GitHubRepository;
  readonly revision: string;
}

export type GitHubAttachment =
  | {
      readonly type: "github_reference";
      readonly number: number;
      readonly title: string;
      readonly referenceType: string;
      readonly state: string;
      readonly url: string;
    }
  | {
      readonly type: "github_commit";
      readonly repo: GitHubRepository;
      readonly oid: string;
      readonly message: string;
      readonly url: string;
    }
  | {
      readonly type: "github_release";
      readonly repo: GitHubRepository;
      readonly tagName: string;
      readonly name: string;
      readonly url: string;
    }
  | {
      readonly type: "github_actions_job";
      readonly repo: GitHubRepository;
      readonly jobId: number;
      readonly jobName: string;
      readonly workflowName: string;
      readonly url: string;
      readonly conclusion?: string;
    }
  | {
      readonly type: "github_repository";
      readonly repo: GitHubRepository;
      readonly url: string;
      readonly description?: string;
      readonly ref?: string;
    }
  | {
      readonly type: "github_file_diff";
      readonly url: string;
      readonly head?: GitHubLocation;
      readonly base?: GitHubLocation;
    }
  | {
      readonly type: "github_tree_comparison";
      readonly url: string;
      readonly base: GitHubRevision;
      readonly head: GitHubRevision;
    }
  | { readonly type: "github_url"; readonly url: string }
  | (GitHubLocation & { readonly type: "github_file"; readonly url: string })
  | (GitHubLocation & {
      readonly type: "github_snippet";
      readonly url: string;
      readonly lineRange: LineRange;
    });

/** What it is, its kind, its state where it has one, its address. */
export function toReferenceLine(attachment: GitHubAttachment): string {
  const { subject, tags } = describeReference(attachment);
  const marks = tags.map((tag) => ` [${tag}]`).join("");
  return oneLine(subject === "" ? `${attachment.url}${marks}` : `${subject}${marks} (${attachment.url})`);
}

function describeReference(attachment: GitHubAttachment): {
  readonly subject: string;
  readonly tags: readonly string[];
} {
  switch (attachment.type) {
    case "github_reference":
      return {
        subject: `#${attachment.number} - ${attachment.title}`,
        tags: [attachment.referenceType, attachment.state],
      };
    case "github_commit":
      return {
        subject: `${nameOf(attachment.repo)}@${attachment.oid.slice(0, 12)} - ${attachment.message}`,
        tags: ["commit"],
      };
    case "github_release":
      return {
        subject: `${nameOf(attachment.repo)} ${attachment.tagName} - ${attachment.name}`,
        tags: ["release"],
      };
    case "github_actions_job":
      return {
        subject: `${nameOf(attachment.repo)} job ${attachment.jobId} - ${attachment.workflowName} / ${attachment.jobName}`,
        tags: ["actions job", attachment.conclusion ?? "in progress"],
      };
    case "github_repository": {
      const name =
        attachment.ref === undefined
          ? nameOf(attachment.repo)
          : `${nameOf(attachment.repo)}@${attachment.ref}`;
      return {
        subject: attachment.description ? `${name} - ${attachment.description}` : name,
        tags: ["repository"],
      };
    }
    case "github_file_diff": {
      const sides = [attachment.base, attachment.head].map((side) =>
        side === undefined ? "nothing" : locationOf(side),
      );
      return { subject: sides.join(" -> "), tags: ["file diff"] };
    }
    case "github_tree_comparison": {
      const [base, head] = [attachment.base, attachment.head].map(
        (side) => `${nameOf(side.repo)}@${side.revision}`,
      );
      return { subject: `${base}...${head}`, tags: ["comparison"] };
    }
    case "github_file":
      return { subject: locationOf(attachment), tags: ["file"] };
    case "github_snippet":
      return {
        subject: `${locationOf(attachment)} lines ${attachment.lineRange.start}-${attachment.lineRange.end}`,
        tags: ["snippet"],
      };
    case "github_url":
      return { subject: "", tags: ["link"] };
    default:
      throw new TypeError("an unknown type of attachment");
  }
}

function nameOf(repo: GitHubRepository): string {
  return `${repo.owner}/${repo.name}`;
}

function locationOf(location: GitHubLocation): string {
  return `${nameOf(location.repo)}@${location.ref}:${location.path}`;
}
