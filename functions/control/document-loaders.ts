import type { Artifacts } from '../../shared/artifacts/artifacts.ts';
import { BUNDLE_LIMITS, bundleFromText } from '../../shared/definitions/bundle.ts';
import { readDefinitions } from '../../shared/definitions/read.ts';
import { applicationDeclaration } from '../../shared/domain/application/declaration.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import { packetSchema } from '../../shared/domain/packet/schema.ts';
import { graphOf } from '../../shared/line/graph.ts';
import { createDocumentCache, type DocumentCache } from '../../shared/plane/documents.ts';

/** Pinned documents out of their artifacts. They were validated before they were pinned; one that no longer parses is a fault of this program, not of its author. */
export function openDocuments(artifacts: Artifacts): DocumentCache {
  const json = async (digest: Parameters<Artifacts['bytes']>[0]): Promise<unknown> =>
    JSON.parse((await artifacts.bytes(digest, LIMITS.http.jsonBodyBytes * 8)).toString('utf8'));
  return createDocumentCache({
    async definitions(digest) {
      const { version, lines, policy } = readDefinitions(
        bundleFromText(await artifacts.bytes(digest, BUNDLE_LIMITS.bytes * 2)),
      );
      return {
        digest,
        version,
        policy,
        lines: new Map(
          [...lines].map(([name, { digest: line, line: blueprint }]) => [
            name,
            { digest: line, graph: graphOf(blueprint) },
          ]),
        ),
      };
    },
    declaration: async (digest) => applicationDeclaration.parse(await json(digest)),
    packet: async (digest) => packetSchema.parse(await json(digest)),
  });
}
