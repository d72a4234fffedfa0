import path from 'node:path/posix';
import type { Document } from '../bicep/document.ts';
import { misfits, type Type } from '../bicep/types.ts';
import { at } from '../bicep/value.ts';
import { type Check, type Fault, fault } from '../finding.ts';
import { type Landing, templateOf } from '../landing.ts';

const typesOf = (landing: Landing): ReadonlyMap<string, Type> =>
  new Map(landing.templates.flatMap(({ types }) => types.map(({ name, shape }) => [name, shape])));

/** What is written out as the value of a parameter is of its type: in parameter files, as fallbacks and from module to module. */
function* values(landing: Landing): Iterable<Fault> {
  const known = typesOf(landing);
  for (const file of landing.parameterFiles)
    for (const variable of file.variables) {
      const parameter = templateOf(landing, file.using ?? '')?.parameters.find(({ name }) => name === variable.name);
      if (parameter === undefined) continue;
      for (const what of misfits(variable.value, parameter.shape, known, parameter.name, parameter.decorators))
        yield fault(file, variable.line, what);
    }
  for (const document of landing.templates) {
    for (const { name, shape, fallback, decorators, line } of document.parameters)
      if (fallback !== undefined)
        for (const what of misfits(fallback, shape, known, name, decorators)) yield fault(document, line, what);
    yield* ofModules(landing, document, known);
  }
}

/** A module is given each parameter without a fallback, and none that it does not declare. */
function* ofModules(landing: Landing, document: Document, known: ReadonlyMap<string, Type>): Iterable<Fault> {
  for (const module of document.modules) {
    const declared = templateOf(landing, path.join(path.dirname(document.file), module.path))?.parameters;
    const given = at(module.body, 'params');
    if (declared === undefined || (given !== undefined && given.kind !== 'object')) continue;
    const properties = given?.properties ?? [];
    for (const { name, value } of properties) {
      const parameter = declared.find((each) => each.name === name);
      if (parameter === undefined) yield fault(document, value.line, `${module.path} has no parameter ${name}`);
      else
        for (const what of misfits(value, parameter.shape, known, name, parameter.decorators))
          yield fault(document, value.line, `${module.name}: ${what}`);
    }
    for (const { name, fallback } of declared)
      if (fallback === undefined && !properties.some((property) => property.name === name))
        yield fault(document, module.line, `${module.name} is not given ${name}`);
  }
}

export const typeChecks: readonly Check[] = [
  { id: 'types', title: 'parameters are given, and of their type', run: values },
];
