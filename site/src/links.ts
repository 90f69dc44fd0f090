// Where the nouns of the report lead: every one has a page.
import { href } from './query';

export const podHref = (ns: string, pod: string) => href({ view: 'pod', ns, pod });
export const nodeHref = (node: string) => href({ view: 'node', node });
export const modelHref = (ns: string, type: string, model: string) =>
  href({ view: 'model', ns, type: type || null, model });
