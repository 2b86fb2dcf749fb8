/** The conversation as a model can take it: images that it cannot see, or not so many of, are left out. */
import type { ModelContentPart, ModelMessage, ToolImage } from "../models/model-provider.ts";
import type { ActiveModel } from "./run-host.ts";

/** For models that tell no bound of theirs: most providers refuse the whole conversation for one image above it. */
const DEFAULT_MAX_IMAGE_BYTES = 10 * 1024 * 1024;

/**
 * The same list when nothing has to go. The log keeps every image, so that a model that sees gets them
 * when the session changes to it. When there are too many, the newest stay.
 */
export function visibleMessages(
  messages: readonly ModelMessage[],
  model: Pick<ActiveModel, "supportsVision" | "imageLimits">,
): readonly ModelMessage[] {
  if (holdsNoImages(messages)) return messages;
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

/**
 * Conversations that hold no images, by their arrays: how far that was seen. It is asked with every model call, and
 * only the end of a conversation changes. When the last message that was seen is not where it was, all are looked at again.
 */
const imageless = new WeakMap<
  readonly ModelMessage[],
  { readonly count: number; readonly last: ModelMessage | undefined }
>();

function holdsNoImages(messages: readonly ModelMessage[]): boolean {
  const known = imageless.get(messages);
  const isKnown = known !== undefined && messages[known.count - 1] === known.last;
  for (let at = isKnown ? known.count : 0; at < messages.length; at += 1)
    if (mayHoldImages(messages[at] as ModelMessage)) return false;
  imageless.set(messages, { count: messages.length, last: messages.at(-1) });
  return true;
}

/** Whether the model takes it; a text is what it reads instead. */
type Chooser = (image: { readonly mimeType: string; readonly base64: string }) => boolean | string;

function createChooser({ supportsVision, imageLimits }: Parameters<typeof visibleMessages>[1]): Chooser {
  let left = imageLimits?.maxImages ?? Number.POSITIVE_INFINITY;
  return (image) => {
    if (!supportsVision || left === 0) return false;
    if (imageLimits?.mediaTypes && !imageLimits.mediaTypes.includes(image.mimeType)) return false;
    const maxBytes = imageLimits?.maxImageBytes ?? DEFAULT_MAX_IMAGE_BYTES;
    const bytes = Buffer.byteLength(image.base64, "base64");
    if (bytes > maxBytes)
      return `[An image of ${bytes} bytes was left out here: the model takes images of at most ${maxBytes} bytes.]`;
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
    const { kept: images, notes } = filterFromEnd(message.images ?? [], takes);
    if (images.length === message.images?.length) return message;
    const { images: _, ...rest } = message;
    const content = [message.content, ...notes].join("\n");
    return images.length === 0 ? { ...rest, content } : { ...rest, content, images };
  }
  if (message.role !== "user" || typeof message.content === "string") return message;
  const { kept, notes } = filterFromEnd<ModelContentPart>(
    message.content,
    (part) => part.type !== "image" || takes(part),
  );
  if (kept.length === message.content.length) return message;
  const content: ModelContentPart[] = [...kept, ...notes.map((text) => ({ type: "text", text }) as const)];
  const texts = content.flatMap((part) => (part.type === "text" ? [part.text] : []));
  return { role: "user", content: texts.length === content.length ? texts.join("\n") : content };
}

/** Asks about the newest first. */
function filterFromEnd<T extends ModelContentPart | ToolImage>(
  items: readonly T[],
  accepts: (item: T) => boolean | string,
): { kept: T[]; notes: string[] } {
  const kept: T[] = [];
  const notes: string[] = [];
  for (let at = items.length - 1; at >= 0; at -= 1) {
    const item = items[at] as T;
    const verdict = accepts(item);
    if (verdict === true) kept.push(item);
    else if (verdict !== false) notes.push(verdict);
  }
  return { kept: kept.reverse(), notes: notes.reverse() };
}
