import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, it } from "vitest"
import type { AppEvent } from "../../contract/app.ts"
import type { EngineEvent } from "../../contract/engine.ts"
import { canvasBytes, canvasOf } from "../../contract/pack.ts"
import { readPack } from "../packs/read.ts"
import type { StartEngine } from "./engine/client.ts"
import { Studio } from "./studio.ts"

const home = mkdtempSync(join(tmpdir(), "megabyte-blank-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const shipped = join(import.meta.dirname, "../../test/parity")
const canvas = canvasOf(readPack(join(shipped, "picture")))
const size = canvas ? canvasBytes(canvas) : 0

/** An engine whose pictures are blank up to a seed. */
const blankUntil =
  (seed: number): StartEngine =>
  () => {
    let message = (_: EngineEvent) => {}
    return {
      send(request) {
        const { id } = request
        const answer = (event: EngineEvent) => queueMicrotask(() => message(event))
        if (request.type === "probe") answer({ type: "probed", id, ...(request.pack ? { msPerPatch: 1 } : {}) })
        if (request.type !== "generate") return
        answer({ type: "started", id, used: request.prompt.length, reused: 0, prefillMs: 0 })
        const part = (b: number) => {
          const bytes = new Uint8Array(request.length).map((_, i) => (request.seed + b >= seed ? i % 7 : 0))
          return { bytes, logprob: new Float32Array(bytes.length), entropy: new Float32Array(bytes.length) }
        }
        answer({ type: "patch", id, index: 0, parts: Array.from({ length: request.variations }, (_, b) => part(b)) })
        answer({ type: "done", id, reason: "length", decodeMs: 1 })
      },
      onMessage: (listener) => {
        message = listener
      },
      onExit: () => {},
      kill: () => {},
    }
  }

it("a blank picture is made again with the next seeds, and keeps the one that gave something", async () => {
  const studio = new Studio({ shipped, home, cache: join(home, "cache") }, blankUntil(12))
  const events: AppEvent[] = []
  studio.connect((event) => void events.push(event))
  const sampling = { temperature: 1, topP: 1, topK: 0, minP: 0 }
  const settings = { pack: "parity-picture", length: size, seed: 10, variations: 2, sampling, style: 0 }
  await studio.receive({ type: "generate", settings, given: "" }, (event) => void events.push(event))
  expect(events.filter((e) => e.type === "notice" && e.kind === "problem")).toEqual([])
  const items = new Map(events.flatMap((e) => (e.type === "item" ? [[e.item.id, e.item] as const] : [])))
  expect([...items.values()].map((item) => [item.status, item.settings.seed, item.bytes])).toEqual([
    ["done", 12, size],
    ["done", 12, size],
  ])
})
