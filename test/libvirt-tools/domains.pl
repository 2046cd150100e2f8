#!/usr/bin/perl
# Lists the domains of a host by Sys::Virt, starts the one of a name, and says what it does.

use strict;
use warnings;
use Sys::Virt;
use Sys::Virt::Domain;

my ($uri, $name) = @ARGV;
my $connection = Sys::Virt->new(uri => $uri);
print join(' ', sort map { $_->get_name } $connection->list_all_domains), "\n";

my $domain = $connection->get_domain_by_name($name);
printf "%d %s\n", $domain->get_id, $domain->is_active ? 'active' : 'inactive';
$domain->create;
my $info = $domain->get_info;
my ($state, $reason) = $domain->get_state;
printf "%d %d %d %d %d\n", $domain->get_id > 0, $state == Sys::Virt::Domain::STATE_RUNNING, $reason, $info->{nrVirtCpu}, $info->{maxMem};
my ($told) = $connection->get_all_domain_stats(Sys::Virt::Domain::STATS_VCPU, [$domain]);
printf "%s %d\n", $told->{dom}->get_name, $told->{data}->{'vcpu.current'};
$domain->destroy;
eval { $connection->get_domain_by_name('nobody') };
print $@->message, "\n";
