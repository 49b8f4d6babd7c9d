import { Flags } from '@oclif/core';
import { type Exit, MigrateCommand } from '../base.ts';

export default class Scan extends MigrateCommand {
  static override summary = 'Find the images that a cluster uses, and write images.json.';

  static override description = [
    'Looks at pods and at every built-in workload, also where nothing is running: containers, init and ephemeral containers, image volumes.',
    'Reads the cluster of the current context, or manifests.',
    'With --repo it writes the map that "copy" works through; the inventory goes to standard output.',
  ].join(' ');

  static override hiddenAliases = ['config'];

  static override examples = [
    {
      description: 'Map all images of the current cluster to one namespace of another registry',
      command: '<%= config.bin %> <%= command.id %> -t swr.eu-west-101.myhuaweicloud.eu/team',
    },
    {
      description: 'Only look: which images do two namespaces use, and who uses them?',
      command: '<%= config.bin %> <%= command.id %> -n shop,payments -o wide',
    },
    {
      description: 'Read manifests instead of a cluster',
      command: '<%= config.bin %> <%= command.id %> -f deploy/ -t registry.example.com/mirror',
    },
  ];

  static override flags = {
    repo: Flags.string({
      char: 't',
      description:
        'registry and namespace that every image is mapped to; without it nothing is written, and -o says what to show',
      helpValue: 'REGISTRY/NAMESPACE',
    }),
    namespaces: Flags.string({
      char: 'n',
      aliases: ['namespace'],
      description: 'where to look, several with commas between [default: all namespaces]',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      helpValue: 'NAME',
      exclusive: ['all-namespaces'],
    }),
    'all-namespaces': Flags.boolean({
      char: 'A',
      description: 'look in all namespaces, as without -n',
    }),
    selector: Flags.string({
      char: 'l',
      description: 'label selector on workloads',
      helpValue: 'LABELS',
    }),
    filename: Flags.string({
      char: 'f',
      description: 'read manifests instead of a cluster: a file, a folder, or - for standard input',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'PATH',
    }),
    images: Flags.string({
      description: 'where the map is written; - is standard output',
      default: './images.json',
      helpValue: 'PATH',
    }),
    layout: Flags.option({
      description:
        'what of the path of an image is kept below the namespace: its last segment, or all of it',
      options: ['flatten', 'preserve'] as const,
      default: 'flatten',
    })(),
    merge: Flags.boolean({
      description: 'add what is new to an existing map, and leave the rest of it as it is',
      exclusive: ['force'],
    }),
    force: Flags.boolean({ description: 'replace an existing map' }),
    output: Flags.option({
      char: 'o',
      description: 'form of the inventory [default: table]',
      options: ['table', 'wide', 'json', 'yaml', 'name'] as const,
    })(),
    kubeconfig: Flags.string({
      char: 'k',
      description: 'the kubeconfig to use [default: as kubectl finds it]',
      helpValue: 'PATH',
    }),
    context: Flags.string({ description: 'context of the kubeconfig', helpValue: 'NAME' }),
    cluster: Flags.string({ description: 'cluster of the kubeconfig', helpValue: 'NAME' }),
    user: Flags.string({ description: 'user of the kubeconfig', helpValue: 'NAME' }),
    as: Flags.string({ description: 'user to impersonate', helpValue: 'NAME' }),
    'as-group': Flags.string({
      description: 'group to impersonate',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME',
    }),
    'request-timeout': Flags.string({
      description: 'how long one request to the cluster may take: 30, 30s, 2m; 0 is no limit',
      helpValue: 'TIME',
    }),
  };

  override async work(signal: AbortSignal): Promise<Exit> {
    const { flags } = await this.parse(Scan);
    const { survey } = await import('./survey.ts');
    return survey({
      target: flags.repo,
      namespaces: flags.namespaces,
      selector: flags.selector,
      filenames: flags.filename,
      images: flags.images,
      layout: flags.layout,
      onExisting: flags.merge ? 'merge' : flags.force ? 'replace' : 'refuse',
      form: flags.output,
      connection: {
        kubeconfig: flags.kubeconfig,
        context: flags.context,
        cluster: flags.cluster,
        user: flags.user,
        as: flags.as,
        asGroups: flags['as-group'],
        requestTimeout: flags['request-timeout'],
      },
      signal,
    });
  }
}
