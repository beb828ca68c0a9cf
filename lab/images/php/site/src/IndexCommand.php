<?php
declare(strict_types=1);

namespace Lab;

use Symfony\Component\Console\Attribute\AsCommand;
use Symfony\Component\Console\Command\Command;
use Symfony\Component\Console\Input\InputInterface;
use Symfony\Component\Console\Output\OutputInterface;

/** Every article into Solr, when the worker starts. Solr takes longer to start than PHP does, so it is waited for. */
#[AsCommand('lab:index', 'Puts every article into Solr')]
final class IndexCommand extends Command
{
    public function __construct(private Search $search, private Articles $articles)
    {
        parent::__construct();
    }

    protected function execute(InputInterface $input, OutputInterface $output): int
    {
        for ($try = 0; $try < 120; ++$try) {
            if ($this->search->ready()) {
                foreach (array_keys(Seeds::sites()) as $host) {
                    if (!$this->search->index($this->articles->all($host))) {
                        return Command::FAILURE;
                    }
                }

                return Command::SUCCESS;
            }
            sleep(1);
        }

        return Command::FAILURE;
    }
}
