/**
 * What the running flows say about themselves, node by node: status and recent errors.
 *
 * Each node has a cell outside the graph, so that a hundred updates a second touch those nodes only and never the canvas.
 */
import type { NodeStatus } from '../api/types'

/** The live state of one node. */
export class LiveCell {
  status = $state.raw<NodeStatus | null>(null)
  /** Errors since somebody looked. */
  errors = $state(0)
}

const isEmptyStatus = (status: NodeStatus): boolean => !status.fill && !status.shape && !status.text

/** The live state of all nodes. */
export class Live {
  readonly #cells = new Map<string, LiveCell>()

  /** The cell of a node; it exists as soon as somebody asks. */
  cell(id: string): LiveCell {
    let cell = this.#cells.get(id)
    if (!cell) {
      cell = new LiveCell()
      this.#cells.set(id, cell)
    }
    return cell
  }

  /** The status of a node. */
  status(id: string): NodeStatus | null {
    return this.cell(id).status
  }

  /** Takes a status that the server sent; an empty one clears. */
  setStatus(id: string, status: NodeStatus): void {
    this.cell(id).status = isEmptyStatus(status) ? null : status
  }

  /** Counts an error of a node. */
  addError(id: string): void {
    this.cell(id).errors += 1
  }

  /** Somebody saw the errors of a node. */
  seenErrors(id: string): void {
    const cell = this.#cells.get(id)
    if (cell) cell.errors = 0
  }

  /** Forgets everything: the flows were deployed anew, or the connection was lost. */
  clear(): void {
    for (const cell of this.#cells.values()) {
      cell.status = null
      cell.errors = 0
    }
  }
}

/** The live state of the flows on this page. */
export const live = new Live()
