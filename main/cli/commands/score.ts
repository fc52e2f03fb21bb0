import { EngineClient, forkEngine } from "../../host/engine/client.ts"
import { wholeDocument } from "../../packs/read.ts"
import { parse } from "../arguments.ts"
import { common, framing } from "../options.ts"
import { readPrompt } from "../prompt.ts"
import { placed, type Target, target } from "../target.ts"

/** Bits of every byte of a file at one precision, and the mean of them. */
type Score = { precision: string; bitsPerByte: number; seconds: number; perByte: number[] }

/** `megabyte score FILE`: bits per byte; with several precisions, also what the later ones lose against the first. */
export async function scoreCommand(args: string[]): Promise<void> {
  const { values, positionals } = parse(args, { ...common, ...framing }, 1)
  const { bytes, chosen } = await readPrompt(positionals[0] as string, values)
  const scores: Score[] = []
  for (const precision of values.precision?.split(",") ?? [undefined])
    scores.push(await score(bytes, target({ ...values, pack: chosen.folder }, precision), !values.json))
  if (values.json) printJson(chosen.pack.name, bytes.length, scores)
  else print(bytes.length, scores)
}

/** @param showing whether the progress is shown where somebody sees it */
async function score(bytes: Uint8Array, chosen: Target, showing: boolean): Promise<Score> {
  const { pack, cache } = chosen
  const engine = await placed(chosen)
  const document = wholeDocument(pack, bytes)
  const client = new EngineClient(forkEngine(cache))
  try {
    const seen = showing && process.stderr.isTTY
    const { result } = client.score(
      { ...engine, bytes: document.bytes },
      {
        progress: (done) => {
          if (seen) process.stderr.write(`\r${Math.floor((100 * done) / bytes.length)} % `)
        },
        fallback: (line) => void process.stderr.write(`${line}\n`),
      },
    )
    const { logprob, scoreMs } = await result
    if (seen) process.stderr.write("\r")
    const perByte = Array.from(logprob.subarray(document.header), (x) => -x / Math.LN2)
    const sum = perByte.reduce((a, b) => a + b, 0)
    const bitsPerByte = bytes.length ? sum / bytes.length : 0
    return { precision: engine.precision, bitsPerByte, seconds: scoreMs / 1000, perByte }
  } finally {
    client.close()
  }
}

function printJson(pack: string, bytes: number, [first, ...rest]: Score[]): void {
  if (!first) return
  const { precision, bitsPerByte, perByte } = first
  const others = rest.map((r) => ({
    precision: r.precision,
    bitsPerByte: r.bitsPerByte,
    loss: r.bitsPerByte - bitsPerByte,
  }))
  process.stdout.write(`${JSON.stringify({ pack, precision, bitsPerByte, bytes, perByte, others })}\n`)
}

function print(bytes: number, scores: Score[]): void {
  const [first] = scores
  for (const r of scores) {
    const loss = r.bitsPerByte - (first as Score).bitsPerByte
    const against = r === first ? "" : `  (${loss >= 0 ? "+" : ""}${loss.toFixed(5)} against ${first?.precision})`
    const rate = r.seconds ? Math.round(bytes / r.seconds) : 0
    process.stdout.write(
      `${r.bitsPerByte.toFixed(4)} bits/byte  ${r.precision}  ${bytes} bytes at ${rate} bytes/s${against}\n`,
    )
  }
}
