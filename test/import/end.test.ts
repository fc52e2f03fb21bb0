import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, it } from "vitest"
import { defaultSampling } from "../../contract/sampling.ts"
import { EngineClient, forkEngine } from "../../main/host/engine/client.ts"
import { importModel } from "../../main/import/index.ts"
import { parseSafetensors } from "../../main/packs/safetensors.ts"

const temporary = mkdtempSync(join(tmpdir(), "megabyte-import-"))
afterAll(() => rmSync(temporary, { recursive: true, force: true }))

it("a document ends where the model says so, and what it would go on with is not taken", async () => {
  const folder = join(temporary, "pack")
  const file = "megabyte-end.safetensors"
  importModel(join(import.meta.dirname, file), folder, { name: "end", file }, {})
  const path = join(folder, "weights.safetensors")
  const bytes = readFileSync(path)
  const bias = parseSafetensors(bytes, path).get("head.bias")?.data ?? new Uint8Array()
  new DataView(bias.buffer, bias.byteOffset).setFloat32(4 * 256, 3, true) // it ends after some bytes
  writeFileSync(path, bytes)
  const client = new EngineClient(forkEngine(join(temporary, "cache")))
  try {
    const made: number[][] = [[], []]
    const target = { pack: folder, precision: "fp32", threads: 1, device: "cpu" } as const
    const what = { prompt: new Uint8Array(), length: 4000, variations: 2, seed: 1, sampling: defaultSampling }
    const patch = ({ parts }: { parts: { bytes: Uint8Array; logprob: Float32Array }[] }) => {
      for (const [b, part] of parts.entries()) {
        made[b]?.push(...part.bytes)
        expect(part.logprob.length).toBe(part.bytes.length)
      }
    }
    expect((await client.generate({ ...target, ...what }, { patch }).result).reason).toBe("end")
    for (const bytes of made) expect(bytes.length).toBeLessThan(4000)
    expect(made[0]?.length).not.toBe(made[1]?.length)
  } finally {
    client.close()
  }
})
