import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestProject } from "vitest/node"
import { forkEngine } from "../../main/host/engine/client.ts"
import { tryDevices } from "../../main/host/engine/devices.ts"
import { softwareDriver } from "./vulkan.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** What the GPU's tests have to run on here. */
    gpu: { works: boolean; half: boolean }
  }
}

/**
 * Tells the tests what the GPU's graphs can run on. Tests of what is not there are skipped and said in one plain line;
 * with CI=true they run all the same and fail, so that no green run leaves them out unseen.
 */
export default async function setup(project: TestProject): Promise<() => void> {
  const gpu = await find()
  project.provide("gpu", process.env.CI ? { works: true, half: true } : gpu)
  const untested = gpu.works
    ? !gpu.half &&
      "Not tested here: fp16 on a GPU. It needs Mesa's lavapipe, version 25 or later (mesa-vulkan-drivers)."
    : "Not tested here: the graphs for a GPU. They need a GPU, or Mesa's lavapipe (mesa-vulkan-drivers)."
  // At the end, where it is seen.
  return () => void (untested && project.vitest.logger.log(`\n${untested}`))
}

async function find(): Promise<{ works: boolean; half: boolean }> {
  // A driver in software is there to work: where it does not, the tests are to fail.
  const driver = softwareDriver()
  if (driver) return { works: true, half: driver.half }
  const cache = mkdtempSync(join(tmpdir(), "megabyte-gpu-"))
  try {
    const gpu = (await tryDevices(forkEngine, cache)).find(({ device }) => device === "webgpu")
    return { works: gpu?.works ?? false, half: gpu?.half ?? false }
  } finally {
    rmSync(cache, { recursive: true, force: true })
  }
}
