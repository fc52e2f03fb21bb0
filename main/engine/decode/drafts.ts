import type { PatchPart } from "../../../contract/engine.ts"
import { SILENCE } from "../../../contract/samples.ts"
import { BYTE_COLUMNS, GUESSES, type Listener } from "../features/notes.ts"
import { type InferenceSession, Tensor } from "../onnxruntime.ts"

/**
 * Draws a patch of every sequence by drafts. What `session`, a draft graph, draws at a place depends on the bytes before
 * it alone: where it draws the draft, that is what byte after byte would have drawn, and so is the first byte that is
 * another. A draft mended there is tried next, until nothing changes.
 * @param feeds all inputs but the drafts
 * @param listeners one a sequence, that have heard all before
 */
export async function drawByDrafts(
  session: InferenceSession,
  feeds: Record<string, Tensor>,
  listeners: Listener[],
  patch: number,
): Promise<PatchPart[]> {
  const batch = listeners.length
  const drafts = listeners.map((listener) => listener.guess())
  const previous = new BigInt64Array(batch * patch)
  const each = patch * BYTE_COLUMNS
  const noteRows = new BigInt64Array(batch * each)
  const guesses = new BigInt64Array(batch * patch * GUESSES)
  const inputs: Record<string, Tensor> = {
    ...feeds,
    local_previous: new Tensor("int64", previous, [batch, patch]),
    note_rows: new Tensor("int64", noteRows, [batch, patch, BYTE_COLUMNS]),
  }
  if (session.inputNames.includes("guesses")) inputs.guesses = new Tensor("int64", guesses, [batch, patch, GUESSES])
  const guessesOf = (b: number) => guesses.subarray(b * patch * GUESSES, (b + 1) * patch * GUESSES)
  for (;;) {
    for (const [b, draft] of drafts.entries()) {
      for (let p = 0; p < patch; p++) previous[b * patch + p] = p ? BigInt(draft[p - 1] as number) : 256n
      listeners[b]?.byteRows(draft, noteRows.subarray(b * each, (b + 1) * each), guessesOf(b))
    }
    const out = await session.run(inputs)
    const ids = (out.bytes as Tensor).data as BigInt64Array
    let settled = true
    for (const [b, draft] of drafts.entries()) {
      const drawn = Uint8Array.from({ length: patch }, (_, p) => Number(ids[b * patch + p]))
      const first = draft.findIndex((byte, p) => byte !== drawn[p])
      if (first < 0) continue
      settled = false
      draft.set(drawn.subarray(first), first)
      // Better guesses than what was drawn after a wrong byte: a note that ended stays so, one that began is known.
      const recalled = first === 0 ? listeners[b]?.recalled(drawn[0] as number) : undefined
      if (recalled) draft.set(recalled)
      else if (drawn[first] === SILENCE) draft.fill(SILENCE, first)
    }
    if (!settled) continue
    const of = (name: "logprob" | "entropy", b: number) =>
      ((out[name] as Tensor).data as Float32Array).slice(b * patch, (b + 1) * patch)
    return drafts.map((bytes, b) => ({ bytes, logprob: of("logprob", b), entropy: of("entropy", b) }))
  }
}
