import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { mediaProtocol } from "../../../contract/media.ts"
import { serveRpc } from "../../../contract/rpc.ts"
import { channelPair } from "../../../test/support/channels.ts"
import { readPack } from "../../packs/read.ts"
import type { ChildPort } from "../../process/child.ts"
import { forkMedia, MediaReader } from "./client.ts"
import { MediaError } from "./error.ts"

const parity = join(import.meta.dirname, "../../../test/parity")
const [textPack, picturePack] = [join(parity, "modern"), join(parity, "picture")]
const folder = mkdtempSync(join(tmpdir(), "megabyte-media-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => "no refusal",
    (error: Error) => error.message,
  )

/** A process that is asked what a file is: it is a text, which leaves it so large, unless it ends or says nothing. */
function standIn(act: (name: string) => { held: number } | { signal: string } | { refused: string } | "says nothing") {
  let started = 0
  const start = (): ChildPort => {
    started++
    const [host, own] = channelPair()
    let exit = (_: number | null, __: string | null) => {}
    const forever = () => new Promise<never>(() => {})
    const detect = ({ name }: { name: string }) => {
      const said = act(name)
      if (said === "says nothing") return forever()
      if ("held" in said) return { value: { modality: "text" as const }, held: said.held }
      if ("refused" in said) throw new MediaError(said.refused)
      exit(null, said.signal)
      return forever()
    }
    const handlers = { detect, read: forever, importPack: forever, importWeights: forever }
    serveRpc(own, mediaProtocol, handlers, (error) => ({
      code: "refused",
      message: (error as MediaError).message,
    }))
    return {
      ...host,
      onExit: (listener) => {
        exit = listener
      },
      kill: () => exit(null, "SIGKILL"),
    }
  }
  return { start, started: () => started }
}

describe("files are read in a process of their own", () => {
  it("which is real, tells what a file is, and goes on after one that cannot be read", async () => {
    const [tale, zeros] = [join(folder, "tale.txt"), join(folder, "zeros")]
    writeFileSync(tale, "Once upon a time")
    writeFileSync(zeros, Buffer.alloc(2000))
    const media = new MediaReader()
    try {
      expect(await media.detect("tale.txt", tale)).toBe("text")
      expect(await refusal(media.detect("zeros", zeros))).toBe("zeros is neither text nor a picture nor a sound.")
      expect(await refusal(media.detect("gone", join(folder, "gone")))).toMatch(/^gone cannot be read; [^\n]*\.$/)
      expect(new TextDecoder().decode((await media.read("tale.txt", tale, readPack(textPack))).bytes)).toBe(
        "Once upon a time",
      )
    } finally {
      media.close()
    }
  })
  it("that takes too long is ended, and the next file gets another", async () => {
    const { start, started } = standIn((name) => (name === "slow" ? "says nothing" : { held: 0 }))
    const media = new MediaReader(start, 50)
    const [slow, next] = await Promise.all([refusal(media.detect("slow", "x")), media.detect("next", "x")])
    expect(slow).toBe("slow takes longer to read than 0.05 seconds; make it shorter or smaller first.")
    expect([next, started()]).toEqual(["text", 2])
  })
  it("that has any name at all is told of in one line", async () => {
    const { start } = standIn((name) => ({ refused: `${name} holds no sound.` }))
    const media = new MediaReader(start)
    const names = ["a\nb\u001b[31m.wav", "a\u202evaw.exe", " ", `${"long".repeat(50)}.wav`]
    expect(await Promise.all(names.map((name) => refusal(media.detect(name, "x"))))).toEqual([
      "a b [31m.wav holds no sound.",
      "avaw.exe holds no sound.",
      "The file holds no sound.",
      expect.stringMatching(/^(long)+lon…(long)+\.wav holds no sound\.$/),
    ])
  })
  it.each([
    ["SIGKILL", "bomb cannot be read: it takes more than 1 GB of memory."],
    ["SIGSEGV", "bomb cannot be read: it is damaged, and ended its decoder."],
    ["SIGXCPU", "bomb takes longer to read than 30 seconds; make it shorter or smaller first."],
  ])("that ends by %s costs one sentence", async (signal, said) => {
    const { start, started } = standIn((name) => (name === "bomb" ? { signal } : { held: 0 }))
    const media = new MediaReader(start)
    expect(await refusal(media.detect("bomb", "x"))).toBe(said)
    expect([await media.detect("next", "x"), started()]).toEqual(["text", 2])
  })
  it("is not used again when a file has left it large", async () => {
    const { start, started } = standIn(() => ({ held: 2 ** 30 }))
    const media = new MediaReader(start)
    await media.detect("a", "x")
    await media.detect("b", "x")
    expect(started()).toBe(2)
  })
  it("is watched: a drawing that would be drawn for minutes is given up, and the app lives", async () => {
    const path = join(folder, "bomb.svg")
    // What is enlarged only while it is drawn is not seen before.
    const step = `<feMorphology operator="dilate" radius=".4"/>`.repeat(40)
    const filter = `<filter id="f" x="0" y="0" width="1" height="1">${step}</filter>`
    const drawing = `<g transform="scale(1000)"><rect width="1" height="1" filter="url(#f)"/></g>`
    writeFileSync(path, `<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="1000">${filter}${drawing}</svg>`)
    const media = new MediaReader(forkMedia, 4000)
    try {
      const said = await refusal(media.read("bomb.svg", path, readPack(picturePack)))
      expect(said).toBe("bomb.svg takes longer to read than 4 seconds; make it shorter or smaller first.")
    } finally {
      media.close()
    }
  })
})
