import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from "node:fs"
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
    serveRpc(own, mediaProtocol, { detect, read: forever }, (error) => ({
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
  it("is watched: a drawing that would take gigabytes is refused, and the app lives", async () => {
    const path = join(folder, "bomb.svg")
    const file = createWriteStream(path)
    // Blurs over a large canvas, each of which takes a picture of its own.
    file.write(`<svg xmlns="http://www.w3.org/2000/svg" width="11000" height="11000"><filter id="f">`)
    for (let i = 0; i < 20; i++) file.write(`<feGaussianBlur stdDeviation="90" result="r${i}"/>`)
    file.end(`</filter><rect width="11000" height="11000" filter="url(#f)"/></svg>`)
    await new Promise<void>((resolve) => file.on("close", () => resolve()))
    const media = new MediaReader(forkMedia, 20_000)
    try {
      const said = await refusal(media.read("bomb.svg", path, readPack(picturePack)))
      expect(said).toMatch(
        /^bomb\.svg (takes longer to read than|cannot be read: it takes more than 1 GB of memory|cannot be read as a picture)/,
      )
    } finally {
      media.close()
    }
  })
})
