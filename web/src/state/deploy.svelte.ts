/** Deploying: sending the flows, and what happens when somebody else was faster. */
import { deploy as send, ApiError, getFlows, getProblems } from '../api/http'
import type { DeployMode, FlowItem, Problem } from '../api/types'
import { t } from '../i18n/t.svelte'
import { toast } from '../ui/toast.svelte'
import { draft } from './draft.svelte'
import { editor } from './editor.svelte'
import { remember, remembered } from './settings.svelte'

const isMode = (value: unknown): value is DeployMode => value === 'full' || value === 'flows' || value === 'nodes'

class Deploy {
  #mode = $state<DeployMode>(remembered('deployMode', 'nodes', isMode))
  /** Whether a deploy is on its way. */
  busy = $state(false)
  /** Whether the server runs other flows than those that these were made from; the person has to choose. */
  conflict = $state(false)
  /** What the server says about the running flows, or about those that it refused. */
  problems = $state.raw<Problem[]>([])

  get mode(): DeployMode {
    return this.#mode
  }
  set mode(mode: DeployMode) {
    this.#mode = mode
    remember('deployMode', mode)
  }

  /** Sends the flows. With `overwrite` whatever runs is replaced. */
  async run({ overwrite = false }: { overwrite?: boolean } = {}): Promise<void> {
    if (this.busy) return
    this.busy = true
    const flows = editor.serialise()
    try {
      const options = overwrite ? { mode: this.#mode } : { mode: this.#mode, rev: editor.rev }
      const { rev } = await send(flows, options)
      editor.markDeployed(rev, flows)
      this.conflict = false
      draft.forget()
      toast.dismiss('foreign')
      toast.show({ level: 'success', text: t('deploy.done'), key: 'deploy' })
      await this.refreshProblems()
    } catch (error) {
      this.#failed(error)
    } finally {
      this.busy = false
    }
  }

  /** Throws away what was changed here and takes the flows that run. */
  async takeTheirs(): Promise<void> {
    try {
      const { flows, rev } = await getFlows()
      editor.load(flows, rev)
      this.conflict = false
      toast.dismiss('foreign')
      draft.forget()
      await this.refreshProblems()
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Asks the server what is wrong with the running flows. */
  async refreshProblems(): Promise<void> {
    try {
      this.problems = await getProblems()
    } catch {
      // The next deploy brings them; until then the editor's own checks stand.
      this.problems = []
    }
  }

  /** Somebody deployed the version `rev`. */
  noticed(rev: string): void {
    if (this.busy || rev === editor.rev || !editor.loaded) return
    if (editor.changeCount === 0) {
      void this.takeTheirs().then(() => toast.show({ text: t('deploy.updated'), key: 'foreign' }))
    } else {
      toast.show({
        level: 'warning',
        key: 'foreign',
        keep: true,
        text: t('deploy.foreign'),
        detail: t('deploy.foreignDetail'),
        actions: [{ label: t('deploy.choose'), run: () => (this.conflict = true) }],
      })
    }
  }

  #failed(error: unknown): void {
    if (error instanceof ApiError && error.status === 409) {
      this.conflict = true
      return
    }
    if (error instanceof ApiError && error.problems.length > 0) this.problems = error.problems
    toast.show({
      level: 'error',
      key: 'deploy',
      text: t('deploy.failed'),
      detail: error instanceof Error ? error.message : String(error),
    })
  }
}

/** The deploy button's state. */
export const deploy = new Deploy()

/** The problems to show: those of the server, and those that the editor found in what isn't deployed yet. */
export function allProblems(sentence: (id: string) => string): Problem[] {
  const local = [...editor.problems.keys()].map((id): Problem => ({
    node: id,
    level: 'error',
    code: 'local',
    message: sentence(id),
  }))
  const known = local.map((problem) => problem.node)
  const exists = (item: FlowItem | undefined): boolean => item !== undefined
  const remote = deploy.problems.filter(
    (problem) => problem.node === null || (!known.includes(problem.node) && exists(editor.get(problem.node))),
  )
  return [...local, ...remote]
}
