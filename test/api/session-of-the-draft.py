import sys
import xmlrpc.client as xmlrpclib

url, user, passwd = sys.argv[1:]

xen = xmlrpclib.Server(url)

session = xen.Session.do_login_with_password(user, passwd)['Value']

all_vms = xen.VM.do_list(session)['Value']
print(all_vms)

print(xen.VM.do_start(session, all_vms[3], False))

print(xen.VM.getname_label(session, all_vms[3])['Value'])

print(xen.VM.getname_description(session, all_vms[3])['Value'])
