import { Worker } from "node:worker_threads"
import { tooLarge } from "../../../contract/files.ts"
import { type MediaAnswer, MediaRequest } from "../../../contract/media.ts"
import { detailsOf } from "../errors.ts"
import { detect } from "./detect.ts"
import { MediaError } from "./error.ts"
import { media } from "./index.ts"
import { MOST_MEMORY } from "./limits.ts"
import { type Source, withFile } from "./source.ts"

/**
 * The process that reads files of people: what a decoder does to it does not touch the app. It ends itself when it holds
 * too much; how long it may take its host watches.
 */

/** Bytes that are read of one file, counting what is read twice. */
const MOST_READ = 4 * 2 ** 30

type ParentPort = { on(event: "message", f: (e: { data: unknown }) => void): void; postMessage(message: unknown): void }
const parentPort = (process as unknown as { parentPort?: ParentPort }).parentPort
const send = (answer: MediaAnswer) => {
  if (parentPort) parentPort.postMessage(answer)
  else process.send?.(answer, undefined, undefined, (error) => error && process.exit(0))
}

// A thread of its own: a decoder may keep this one busy for as long as it likes.
new Worker(
  `setInterval(() => process.memoryUsage.rss() > ${MOST_MEMORY} && process.kill(process.pid, "SIGKILL"), 20)`,
  { eval: true },
).unref()

/** A source that refuses to be read for ever. */
function limited(name: string, source: Source): Source {
  let read = 0
  return {
    length: source.length,
    subarray(begin, end) {
      read += Math.max(0, Math.min(end, source.length) - begin)
      if (read > MOST_READ) throw new MediaError(tooLarge(name, "what can be read in one go"))
      return source.subarray(begin, end)
    },
  }
}

async function answer(request: MediaRequest): Promise<unknown> {
  const { name } = request
  return withFile(request.path, async (file) => {
    const source = limited(name, file)
    if (request.type === "detect") return detect(name, source)
    const { pack, framing, columns } = request
    return media[pack.modality].read(name, source, pack, { framing, columns })
  })
}

async function receive(message: unknown): Promise<void> {
  const parsed = MediaRequest.safeParse(message)
  if (!parsed.success) return
  const { id, name } = parsed.data
  try {
    const result = await answer(parsed.data)
    send({ type: "done", id, result, held: process.memoryUsage.rss() })
  } catch (error) {
    const isRefusal = error instanceof MediaError
    send({
      type: "refused",
      id,
      message: isRefusal
        ? error.message
        : `${name} cannot be read; it is damaged, or of a kind that is not known here.`,
      ...(isRefusal && error.cause === undefined ? {} : { details: detailsOf(error) }),
    })
  }
}

// What a decoder throws outside of its call costs the file that it read.
process.on("uncaughtException", () => process.exit(1))
process.on("unhandledRejection", () => process.exit(1))

if (parentPort) parentPort.on("message", (e) => void receive(e.data))
else {
  process.on("message", (message) => void receive(message))
  process.on("disconnect", () => process.exit(0))
}
