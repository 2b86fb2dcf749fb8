/** The conversation as a model can take it: images that it cannot see, or not so many of, are left out. */
import type { ModelContentPart, ModelMessage, ToolImage } from "../models/model-provider.ts";
import type { ActiveModel } from "./run-host.ts";

/**
 * The same list when nothing has to go. The log keeps every image, so that a model that sees gets them
 * when the session changes to it. Of too many, the newest stay.
 */
export function visibleMessages(
  messages: readonly ModelMessage[],
  model: Pick<ActiveModel, "supportsVision" | "imageLimits">,
): readonly ModelMessage[] {
  const takes = createChooser(model);
  let visible: ModelMessage[] | undefined;
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const message = messages[at] as ModelMessage;
    if (!mayHoldImages(message)) continue;
    const kept = keepImages(message, takes);
    if (kept === message) continue;
    visible ??= [...messages];
    visible[at] = kept;
  }
  return visible ?? messages;
}

type Chooser = (image: { readonly mimeType: string; readonly base64: string }) => boolean;

function createChooser({ supportsVision, imageLimits }: Parameters<typeof visibleMessages>[1]): Chooser {
  let left = imageLimits?.maxImages ?? Number.POSITIVE_INFINITY;
  return (image) => {
    if (!supportsVision || left === 0) return false;
    if (imageLimits?.mediaTypes && !imageLimits.mediaTypes.includes(image.mimeType)) return false;
    const maxBytes = imageLimits?.maxImageBytes;
    if (maxBytes !== undefined && Buffer.byteLength(image.base64, "base64") > maxBytes) return false;
    left -= 1;
    return true;
  };
}

function mayHoldImages(message: ModelMessage): boolean {
  return message.role === "tool"
    ? message.images !== undefined
    : message.role === "user" && typeof message.content !== "string";
}

function keepImages(message: ModelMessage, takes: Chooser): ModelMessage {
  if (message.role === "tool") {
    const images = filterFromEnd(message.images ?? [], takes);
    if (images.length === message.images?.length) return message;
    const { images: _, ...rest } = message;
    return images.length === 0 ? rest : { ...rest, images };
  }
  if (message.role !== "user" || typeof message.content === "string") return message;
  const content = filterFromEnd<ModelContentPart>(
    message.content,
    (part) => part.type !== "image" || takes(part),
  );
  if (content.length === message.content.length) return message;
  const texts = content.flatMap((part) => (part.type === "text" ? [part.text] : []));
  return { role: "user", content: texts.length === content.length ? texts.join("\n") : content };
}

/** Asks about the newest first. */
function filterFromEnd<T extends ModelContentPart | ToolImage>(
  items: readonly T[],
  accepts: (item: T) => boolean,
): T[] {
  const kept: T[] = [];
  for (let at = items.length - 1; at >= 0; at -= 1) {
    const item = items[at] as T;
    if (accepts(item)) kept.push(item);
  }
  return kept.reverse();
}
