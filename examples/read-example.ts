import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { type ApplicationDeclaration, applicationDeclaration } from '../shared/domain/application/declaration.ts';
import { type Packet, packetSchema } from '../shared/domain/packet/schema.ts';

const read = async (path: string): Promise<unknown> => parse(await readFile(new URL(path, import.meta.url), 'utf8'));

/** An example's application declaration, with the given bare repository as its first repository's location. */
export async function readExampleApplication(
  location: string,
  example = 'parcel-rates',
): Promise<ApplicationDeclaration> {
  const declared = applicationDeclaration.parse(await read(`./${example}/application.yaml`));
  return {
    ...declared,
    repositories: declared.repositories.map((repository, index) =>
      index === 0 ? { ...repository, location } : repository,
    ),
  };
}

/** An example's packet by its file's name, e.g. `fix-rounding`. */
export async function readExamplePacket(name: string, example = 'parcel-rates'): Promise<Packet> {
  return packetSchema.parse(await read(`./${example}/packets/${name}.yaml`));
}
